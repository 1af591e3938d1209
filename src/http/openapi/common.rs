//! What is the same for all operations of the document: who may ask, and the headers of requests and replies.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Required};

use super::operations;
use crate::http::auth::is_probe;

const BEARER: &str = "bearer";
const API_KEY: &str = "api_key";

/// Adds them.
pub(super) fn complete(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    add_security(components);
    for parameter in parameters() {
        components.parameters.insert(parameter.name.clone(), parameter.into());
    }
    for (name, header) in headers() {
        components.headers.insert(name.to_owned(), header.into());
    }
    for (path, _, operation) in operations(api) {
        operation.security = Some(match is_probe(path) {
            true => Vec::new(),
            // The last is none: a server may have no keys.
            false => vec![requirement(BEARER), requirement(API_KEY), SecurityRequirement::default()],
        });
        let has_formats = has_formats(operation);
        // What is answered without a model takes no name of one.
        let asks_model =
            operation.tags.as_ref().is_none_or(|tags| !tags.iter().any(|tag| tag == "structure"));
        if let Some(parameters) = operation.parameters.as_mut().filter(|_| !asks_model) {
            parameters
                .retain(|parameter| !matches!(parameter, RefOr::T(parameter) if parameter.name == "model"));
        }
        let has_deadline = operation.responses.responses.contains_key("504");
        let mut take = |name: &str| {
            let parameter = Ref::new(format!("#/components/parameters/{name}"));
            operation.parameters.get_or_insert_default().push(RefOr::Ref(parameter));
        };
        take("X-Request-Id");
        take("traceparent");
        if has_deadline {
            take("X-Deadline-Ms");
        }
        if has_formats {
            take("Accept");
        }
        for (status, response) in &mut operation.responses.responses {
            let RefOr::T(response) = response else { continue };
            let mut give = |name: &str| {
                let header = Ref::new(format!("#/components/headers/{name}"));
                response.headers.insert(name.to_owned(), RefOr::Ref(header));
            };
            give("X-Request-Id");
            if !is_probe(path) {
                ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
                    .into_iter()
                    .for_each(&mut give);
            }
            match status.as_str() {
                "200" if has_formats && asks_model => ["X-Model", "Server-Timing"].into_iter().for_each(give),
                "200" if has_formats => give("Server-Timing"),
                "401" => give("WWW-Authenticate"),
                "429" | "503" => give("Retry-After"),
                _ => {}
            }
        }
    }
}

fn add_security(components: &mut Components) {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer =
        bearer.description(Some("`Authorization: Bearer KEY`, where the server asks for keys")).build();
    let key = ApiKeyValue::with_description("X-API-Key", "The same key in a header of its own");
    for (name, scheme) in
        [(BEARER, SecurityScheme::Http(bearer)), (API_KEY, SecurityScheme::ApiKey(ApiKey::Header(key)))]
    {
        components.security_schemes.insert(name.to_owned(), scheme.into());
    }
}

fn requirement(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, [""; 0])
}

/// Whether the caller chooses the reply's format.
fn has_formats(operation: &Operation) -> bool {
    matches!(operation.responses.responses.get("200"), Some(RefOr::T(reply)) if reply.content.len() > 1)
}

fn parameters() -> [Parameter; 4] {
    let header = |name: &str, schema: ObjectBuilder, description: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .schema(Some(schema))
            .description(Some(description))
            .build()
    };
    [
        header(
            "X-Request-Id",
            text().max_length(Some(128)).pattern(Some("^[!-~]{1,128}$")),
            "A name for the request, up to 128 visible ASCII characters; the reply has it too",
        ),
        header(
            "traceparent",
            text().pattern(Some("^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")),
            "The caller's trace, as W3C Trace Context writes it",
        ),
        header(
            "X-Deadline-Ms",
            integer().minimum(Some(1)).maximum(Some(86_400_000)),
            "Work that is not finished after so many milliseconds is dropped and answered 504",
        ),
        header("Accept", text(), "Format of the reply, one of those listed; left out, that of the request"),
    ]
}

fn headers() -> [(&'static str, Header); 8] {
    let header = |name, schema: ObjectBuilder, description: &str| {
        let schema: Object = schema.build();
        (name, HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build())
    };
    [
        header("X-Request-Id", text(), "The caller's `X-Request-Id`, or a new one"),
        header(
            "X-RateLimit-Limit",
            integer(),
            "Requests a minute; with this and the next two where they are bounded",
        ),
        header("X-RateLimit-Remaining", integer(), "Requests that are free now"),
        header(
            "X-RateLimit-Reset",
            integer(),
            "Seconds until all are free again; of a refused caller, until one is",
        ),
        header("X-Model", text(), "Who answered, as `name@version`"),
        header("Server-Timing", text(), "Milliseconds in the queue and in the network; lines have none"),
        header("WWW-Authenticate", text(), "`Bearer`"),
        header("Retry-After", integer(), "Seconds after which to try again"),
    ]
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}
