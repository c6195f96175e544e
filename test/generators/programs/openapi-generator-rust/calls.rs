use std::env::var;
use std::error::Error;

use byond::apis::configuration::{ApiKey, Configuration};
use byond::apis::verify_api::{check_verification, start_verification};
use byond::apis::{api_keys_api::list_api_keys, lookup_api::lookup_number, Error as ApiError};
use byond::models::{Channel, CheckVerificationRequest, ErrorInfo, ErrorResponse, StartVerificationRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let recipient = var("RECIPIENT")?;
    // One configuration for both credentials: each call sends the one that its operation names.
    let mut configuration = with_key(var("BYONDAPI_KEY")?)?;
    configuration.bearer_access_token = Some(var("JWT")?);

    let request = StartVerificationRequest {
        brand: Some("Acme".to_string()),
        code_length: Some(6),
        ..start_for(&recipient)
    };
    let started = start_verification(&configuration, request, None).await?;
    println!("started {}", started.status);

    let request = CheckVerificationRequest::new(started.verification_id, "000000".to_string());
    let checked = check_verification(&configuration, request, None).await?;
    println!("checked {}", checked.status);

    let number = lookup_number(&configuration, "+6591234567", Some("SG")).await?;
    println!(
        "lookup {} {} {}",
        number.number_e164.unwrap_or_default(),
        number.country_code.unwrap_or_default(),
        number.line_type
    );

    let listed = list_api_keys(&configuration, None, None, None).await?;
    let names: Vec<_> = listed.keys.iter().map(|key| key.name.as_str()).collect();
    println!("keys {}", names.join(","));

    if let Err(refusal) = start_verification(&configuration, start_for("nobody"), None).await {
        let (status, error) = error_of(refusal)?;
        let fields: Vec<_> = error.fields.unwrap_or_default().into_keys().collect();
        println!("invalid {status} {} {}", error.code, fields.join(","));
    }

    for _ in 0..5 {
        if let Err(refusal) = start_verification(&configuration, start_for(&recipient), None).await {
            let (status, error) = error_of(refusal)?;
            println!("limited {status} {} {}", error.code, error.retry_after.unwrap_or_default());
            break;
        }
    }

    let stranger = with_key("pk_test_wrong".to_string())?;
    if let Err(refusal) = start_verification(&stranger, start_for(&recipient), None).await {
        let (status, error) = error_of(refusal)?;
        println!("unauthorized {status} {}", error.code);
    }
    Ok(())
}

fn with_key(key: String) -> Result<Configuration, Box<dyn Error>> {
    Ok(Configuration {
        base_path: var("BYOND_URL")? + "/api/v1",
        api_key: Some(ApiKey { prefix: None, key }),
        ..Configuration::new()
    })
}

fn start_for(recipient: &str) -> StartVerificationRequest {
    StartVerificationRequest::new(Channel::Email, recipient.to_string())
}

/// The HTTP status and the error of the response.
fn error_of<T: std::fmt::Debug + 'static>(refusal: ApiError<T>) -> Result<(u16, ErrorInfo), Box<dyn Error>> {
    let ApiError::ResponseError(response) = refusal else {
        return Err(refusal.into());
    };
    let body: ErrorResponse = serde_json::from_str(&response.content)?;
    Ok((response.status.as_u16(), *body.error))
}
