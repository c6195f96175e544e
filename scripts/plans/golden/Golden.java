import com.google.i18n.phonenumbers.NumberParseException;
import com.google.i18n.phonenumbers.PhoneNumberUtil;
import com.google.i18n.phonenumbers.PhoneNumberUtil.PhoneNumberFormat;
import com.google.i18n.phonenumbers.Phonenumber.PhoneNumber;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Objects;

/** What Google's libphonenumber for Java says of numbers: a line of input is a text and a region, separated by a tab. */
class Golden {
  private static final PhoneNumberUtil numbers = PhoneNumberUtil.getInstance();

  public static void main(String[] args) throws Exception {
    var input = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    var output = new PrintStream(System.out, false, "UTF-8");
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] parts = line.split("\t", -1);
      output.println(line + "\t" + describe(parts[0], parts[1].isEmpty() ? "ZZ" : parts[1]));
    }
    output.flush();
  }

  private static String describe(String text, String region) {
    PhoneNumber number;
    try {
      number = numbers.parse(text, region);
    } catch (NumberParseException error) {
      return error.getErrorType().name();
    }
    return String.join(
        "\t",
        numbers.isPossibleNumberWithReason(number).name(),
        numbers.format(number, PhoneNumberFormat.E164),
        String.valueOf(numbers.isValidNumber(number)),
        Objects.toString(numbers.getRegionCodeForNumber(number), ""),
        numbers.getNumberType(number).name(),
        numbers.format(number, PhoneNumberFormat.NATIONAL),
        numbers.format(number, PhoneNumberFormat.INTERNATIONAL),
        numbers.format(number, PhoneNumberFormat.RFC3966));
  }
}
