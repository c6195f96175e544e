import com.example.byond.apis.APIKeysApi
import com.example.byond.apis.LookupApi
import com.example.byond.apis.VerifyApi
import com.example.byond.infrastructure.ApiClient
import com.example.byond.infrastructure.ClientError
import com.example.byond.infrastructure.ClientException
import com.example.byond.infrastructure.Serializer
import com.example.byond.models.Channel
import com.example.byond.models.CheckVerificationRequest
import com.example.byond.models.ErrorInfo
import com.example.byond.models.ErrorResponse
import com.example.byond.models.StartVerificationRequest

private val basePath = System.getenv("BYOND_URL") + "/api/v1"
private val recipient = System.getenv("RECIPIENT")

fun main() {
    assertThatBothAreSent()
    useKey(System.getenv("BYONDAPI_KEY"))
    val verify = VerifyApi(basePath)

    val started = verify.startVerification(startFor(recipient).copy(brand = "Acme", codeLength = 6))
    println("started ${started.status.value}")

    val checked = verify.checkVerification(CheckVerificationRequest(started.verificationId, "000000"))
    println("checked ${checked.status.value}")

    val number = LookupApi(basePath).lookupNumber("+6591234567", LookupApi.CountryLookupNumber.SG)
    println("lookup ${number.numberE164} ${number.countryCode} ${number.lineType.value}")

    useSession(System.getenv("JWT"))
    val keys = APIKeysApi(basePath).listApiKeys().propertyKeys
    println("keys ${keys.joinToString(",") { it.name }}")

    useKey(System.getenv("BYONDAPI_KEY"))
    try {
        verify.startVerification(startFor("nobody"))
    } catch (e: ClientException) {
        val error = errorOf(e)
        println("invalid ${e.statusCode} ${error.code} ${error.fields.orEmpty().keys.joinToString(",")}")
    }

    try {
        repeat(5) { verify.startVerification(startFor(recipient)) }
    } catch (e: ClientException) {
        val error = errorOf(e)
        println("limited ${e.statusCode} ${error.code} ${error.retryAfter}")
    }

    useKey("pk_test_wrong")
    try {
        verify.startVerification(startFor(recipient))
    } catch (e: ClientException) {
        println("unauthorized ${e.statusCode} ${errorOf(e).code}")
    }
}

// The generated client sends every credential that is set, whatever the operation names, and the server refuses two: hence one at a time.
private fun assertThatBothAreSent() {
    useKey(System.getenv("BYONDAPI_KEY"))
    ApiClient.accessToken = System.getenv("JWT")
    val status = try {
        LookupApi(basePath).lookupNumber("+6591234567")
        200
    } catch (e: ClientException) {
        e.statusCode
    }
    check(status == 401) { "both credentials can be set: $status" }
}

private fun useKey(key: String) {
    ApiClient.accessToken = null
    ApiClient.apiKey["X-API-Key"] = key
}

private fun useSession(session: String) {
    ApiClient.apiKey.clear()
    ApiClient.accessToken = session
}

private fun startFor(recipient: String) = StartVerificationRequest(Channel.email, recipient)

private fun errorOf(exception: ClientException): ErrorInfo {
    val body = (exception.response as ClientError<*>).body as String
    return checkNotNull(Serializer.moshi.adapter(ErrorResponse::class.java).fromJson(body)).error
}
