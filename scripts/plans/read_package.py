"""Prints, as JSON, the data of the Python package `phonenumbers`, whose wheel is the argument: Node cannot read Python's literals."""
import json
import sys

sys.path.insert(0, sys.argv[1])

from phonenumbers import (  # noqa: E402
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumberType,
    country_mobile_token,
    is_number_type_geographical,
)
from phonenumbers.carrierdata import CARRIER_DATA  # noqa: E402
from phonenumbers.geodata import GEOCODE_DATA  # noqa: E402
from phonenumbers.tzdata import TIMEZONE_DATA  # noqa: E402

# In the order of libphonenumber-js.
TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "personal_number",
    "voicemail", "uan", "pager", "voip", "shared_cost",
)


def description(desc):
    if desc is None or desc.national_number_pattern is None:
        return None
    return {
        "pattern": desc.national_number_pattern,
        "lengths": [length for length in desc.possible_length if length > 0],
        "localLengths": list(desc.possible_length_local_only),
        "example": desc.example_number,
    }


def number_format(one):
    return {
        "pattern": one.pattern,
        "format": one.format,
        "leadingDigits": list(one.leading_digits_pattern),
        "nationalPrefixRule": one.national_prefix_formatting_rule,
        "nationalPrefixIsOptional": bool(one.national_prefix_optional_when_formatting),
    }


def plan(metadata):
    return {
        "callingCode": str(metadata.country_code),
        "internationalPrefix": metadata.international_prefix,
        "preferredInternationalPrefix": metadata.preferred_international_prefix,
        "nationalPrefix": metadata.national_prefix,
        "nationalPrefixForParsing": metadata.national_prefix_for_parsing,
        "nationalPrefixTransformRule": metadata.national_prefix_transform_rule,
        "extensionPrefix": metadata.preferred_extn_prefix,
        "leadingDigits": metadata.leading_digits,
        "general": description(metadata.general_desc),
        "types": [description(getattr(metadata, name)) for name in TYPES],
        "formats": [number_format(one) for one in metadata.number_format],
        "internationalFormats": [number_format(one) for one in metadata.intl_number_format],
    }


def english(names):
    return {prefix: by_language["en"] for prefix, by_language in names.items() if "en" in by_language}


regions_of = {str(code): list(regions) for code, regions in COUNTRY_CODE_TO_REGION_CODE.items() if regions != ("001",)}
regions = sorted(region for of_code in regions_of.values() for region in of_code)
others = sorted(code for code, of_code in COUNTRY_CODE_TO_REGION_CODE.items() if of_code == ("001",))
json.dump(
    {
        "regionsOfCallingCode": regions_of,
        "regions": {region: plan(PhoneMetadata.metadata_for_region(region, None)) for region in regions},
        "international": {str(code): plan(PhoneMetadata.metadata_for_nongeo_region(code, None)) for code in others},
        "geographicMobile": [code for code in regions_of if is_number_type_geographical(PhoneNumberType.MOBILE, int(code))],
        "mobileTokens": {code: country_mobile_token(int(code)) for code in regions_of if country_mobile_token(int(code))},
        "timezones": {prefix: list(zones) for prefix, zones in TIMEZONE_DATA.items()},
        "locations": english(GEOCODE_DATA),
        "carriers": english(CARRIER_DATA),
    },
    sys.stdout,
)
