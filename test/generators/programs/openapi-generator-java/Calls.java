import com.example.byond.ApiClient;
import com.example.byond.ApiException;
import com.example.byond.api.ApiKeysApi;
import com.example.byond.api.LookupApi;
import com.example.byond.api.VerifyApi;
import com.example.byond.model.ApiKey;
import com.example.byond.model.Channel;
import com.example.byond.model.CheckVerificationRequest;
import com.example.byond.model.ErrorInfo;
import com.example.byond.model.ErrorResponse;
import com.example.byond.model.StartVerificationRequest;
import java.io.IOException;
import java.util.stream.Collectors;

public class Calls {
  private static final String RECIPIENT = System.getenv("RECIPIENT");

  public static void main(String[] args) throws Exception {
    // One client for both credentials: each call sends the one that its operation names.
    ApiClient client = clientWithKey(System.getenv("BYONDAPI_KEY"));
    client.setBearerToken(System.getenv("JWT"));
    VerifyApi verify = new VerifyApi(client);

    var started = verify.startVerification(startFor(RECIPIENT).brand("Acme").codeLength(6), null);
    System.out.println("started " + started.getStatus());

    var checked = verify.checkVerification(
        new CheckVerificationRequest().verificationId(started.getVerificationId()).code("000000"), null);
    System.out.println("checked " + checked.getStatus());

    var number = new LookupApi(client).lookupNumber("+6591234567", "SG", null);
    System.out.println(
        "lookup " + number.getNumberE164() + " " + number.getCountryCode() + " " + number.getLineType());

    var keys = new ApiKeysApi(client).listApiKeys(null, null, null).getKeys();
    System.out.println("keys " + keys.stream().map(ApiKey::getName).collect(Collectors.joining(",")));

    try {
      verify.startVerification(startFor("nobody"), null);
    } catch (ApiException e) {
      ErrorInfo error = errorOf(e);
      System.out.println(
          "invalid " + e.getCode() + " " + error.getCode() + " " + String.join(",", error.getFields().keySet()));
    }

    try {
      for (int attempt = 0; attempt < 5; attempt++) {
        verify.startVerification(startFor(RECIPIENT), null);
      }
    } catch (ApiException e) {
      ErrorInfo error = errorOf(e);
      System.out.println("limited " + e.getCode() + " " + error.getCode() + " " + error.getRetryAfter());
    }

    try {
      new VerifyApi(clientWithKey("pk_test_wrong")).startVerification(startFor(RECIPIENT), null);
    } catch (ApiException e) {
      System.out.println("unauthorized " + e.getCode() + " " + errorOf(e).getCode());
    }
  }

  private static ApiClient clientWithKey(String key) {
    ApiClient client = new ApiClient().setBasePath(System.getenv("BYOND_URL") + "/api/v1");
    client.setApiKey(key);
    return client;
  }

  private static StartVerificationRequest startFor(String recipient) {
    return new StartVerificationRequest().channel(Channel.EMAIL).recipient(recipient);
  }

  private static ErrorInfo errorOf(ApiException e) throws IOException {
    return ErrorResponse.fromJson(e.getResponseBody()).getError();
  }
}
