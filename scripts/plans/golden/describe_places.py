"""Adds time zones, place and carrier to lines of `Golden.java`, as the Python package `phonenumbers`, whose wheel is the argument, tells them."""
import sys

sys.path.insert(0, sys.argv[1])

from phonenumbers import carrier, geocoder, parse, timezone  # noqa: E402
from phonenumbers.phonenumberutil import is_number_geographical  # noqa: E402


def described(number):
    zones = " ".join(timezone.time_zones_for_number(number))
    # The place of other numbers, or of unknown area codes, is the name of their country.
    place = geocoder.description_for_number(number, "en") if is_number_geographical(number) else ""
    is_country = place == geocoder.country_name_for_number(number, "en")
    return ["" if zones == "Etc/Unknown" else zones, "" if is_country else place, carrier.name_for_number(number, "en")]


for line in sys.stdin:
    parts = line.rstrip("\n").split("\t")
    text, region, *found = parts
    print("\t".join(parts if len(found) < 2 else [*parts, *described(parse(text, region or None))]))
