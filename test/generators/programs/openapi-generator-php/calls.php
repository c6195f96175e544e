<?php

declare(strict_types=1);

use Byond\Api\APIKeysApi;
use Byond\Api\LookupApi;
use Byond\Api\VerifyApi;
use Byond\ApiException;
use Byond\Configuration;
use Byond\Model\Channel;
use Byond\Model\CheckVerificationRequest;
use Byond\Model\ErrorInfo;
use Byond\Model\ErrorResponse;
use Byond\Model\StartVerificationRequest;
use GuzzleHttp\Client;

require __DIR__ . '/autoload.php';

function configurationWith(string $key): Configuration
{
    return (new Configuration())
        ->setHost(getenv('BYOND_URL') . '/api/v1')
        ->setApiKey('X-API-Key', $key);
}

function startFor(string $recipient): StartVerificationRequest
{
    return new StartVerificationRequest(['channel' => Channel::EMAIL, 'recipient' => $recipient]);
}

function errorOf(ApiException $exception): ErrorInfo
{
    $response = $exception->getResponseObject();
    if (!$response instanceof ErrorResponse) {
        throw $exception;
    }
    return $response->getError();
}

$recipient = getenv('RECIPIENT');
$http = new Client();
// One configuration for both credentials: each call sends the one that its operation names.
$configuration = configurationWith(getenv('BYONDAPI_KEY'))->setAccessToken(getenv('JWT'));
$verify = new VerifyApi($http, $configuration);

$started = $verify->startVerification(startFor($recipient)->setBrand('Acme')->setCodeLength(6));
echo "started {$started->getStatus()}\n";

$checked = $verify->checkVerification(
    new CheckVerificationRequest(['verification_id' => $started->getVerificationId(), 'code' => '000000']),
);
echo "checked {$checked->getStatus()}\n";

$number = (new LookupApi($http, $configuration))->lookupNumber('+6591234567', 'SG');
echo "lookup {$number->getNumberE164()} {$number->getCountryCode()} {$number->getLineType()}\n";

$keys = (new APIKeysApi($http, $configuration))->listApiKeys()->getKeys();
echo 'keys ', implode(',', array_map(fn ($key) => $key->getName(), $keys)), "\n";

try {
    $verify->startVerification(startFor('nobody'));
} catch (ApiException $exception) {
    $error = errorOf($exception);
    $fields = implode(',', array_keys($error->getFields()));
    echo "invalid {$exception->getCode()} {$error->getCode()} {$fields}\n";
}

try {
    for ($attempt = 0; $attempt < 5; $attempt++) {
        $verify->startVerification(startFor($recipient));
    }
} catch (ApiException $exception) {
    $error = errorOf($exception);
    echo "limited {$exception->getCode()} {$error->getCode()} {$error->getRetryAfter()}\n";
}

try {
    (new VerifyApi($http, configurationWith('pk_test_wrong')))->startVerification(startFor($recipient));
} catch (ApiException $exception) {
    echo "unauthorized {$exception->getCode()} ", errorOf($exception)->getCode(), "\n";
}
