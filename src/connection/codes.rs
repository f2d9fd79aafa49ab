//! What the connection doctor can find: every code with its severity, its paragraph and its advice, in one table.
//!
//! The codes are API: never reused, never renamed. `docs/connection.md` is made of this table.

use crate::package::Severity;

/// All that is known of a code.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CodeInfo {
    /// The public spelling.
    pub code: &'static str,
    /// Of a finding where nothing else is said in the paragraph.
    pub severity: Severity,
    /// A few words.
    pub title: &'static str,
    /// What it means, and where that is known from.
    pub paragraph: &'static str,
    /// What to do, with the place in Supply Chain Management where it is done.
    pub hint: &'static str,
}

/// In a module for JavaScript, where findings alone are shown, the words of the documentation would only cost size.
const fn for_docs(text: &'static str) -> &'static str {
    if cfg!(all(feature = "wasm", target_arch = "wasm32")) { "" } else { text }
}

macro_rules! codes {
    ($($name:ident $code:literal $severity:ident $title:literal $paragraph:literal $hint:literal)*) => {
        /// A stable code of the connection doctor.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $title] $name),* }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// All that is known of it.
            #[must_use]
            pub const fn info(self) -> CodeInfo {
                match self {
                    $(Self::$name => CodeInfo {
                        code: $code,
                        severity: Severity::$severity,
                        title: for_docs($title),
                        paragraph: for_docs($paragraph),
                        hint: $hint,
                    }),*
                }
            }
        }
    };
}

codes! {
    // ── the way ──
    HostDataverse "CONN-HOST-DATAVERSE" Error "A Dataverse host"
        "The base URL is that of a Dataverse environment (…crm.dynamics.com), which is another product with another interface: everything under /data answers 404 there. Known by the name alone, so nothing was sent."
        "Take the URL at which people open Supply Chain Management, like https://contoso.operations.dynamics.com; Lifecycle Services or the Power Platform admin center show it as the environment's finance and operations URL."
    Path "CONN-PATH" Warning "Unusual path in the base URL"
        "The base URL has a path that is not /namespaces/…, the one of on-premises environments. Cloud environments have none."
        "Leave the path out of the base URL; on premises it ends with /namespaces/AXSF."
    Dns "CONN-DNS" Error "Unknown host name"
        "The name of the host could not be resolved: a typing error, an environment that was deleted, or a network without names of the internet."
        "Check the host name in the base URL by opening it in a browser of the same machine."
    Tls "CONN-TLS" Error "Certificate refused"
        "The host answers, but its certificate is not accepted: expired, for another name, or signed by a company's own proxy that this runtime does not trust."
        "Where a proxy inspects the traffic, give the runtime its root certificate (in Node: NODE_EXTRA_CA_CERTS). Do not switch the check off."
    Unreachable "CONN-UNREACHABLE" Error "No connection"
        "The host's name is known, but no answer came: a firewall, a proxy that is not configured in this runtime, an environment that is stopped."
        "Open the base URL in a browser of the same machine; see that outgoing https to that host is allowed."
    Timeout "CONN-TIMEOUT" Error "No answer in time"
        "The connection was made or tried, and nothing came within the client's time-out."
        "Try again later; an environment that just started answers slowly. See the option timeout."
    Cors "CONN-CORS" Error "The browser does not let the page see the answer"
        "The service and its storage answer no page of another origin: no documentation of CORS is known, and field reports say that calls are blocked. A page can't tell that from a network failure."
        "Send the page's calls through the relay (rewriteUrl, see docs/relay.md), or from a server."
    Proxy "CONN-PROXY" Error "A proxy wants a sign-in"
        "A proxy on the way answered 407 in place of the service."
        "Configure the proxy and its credentials in this runtime, or let the host's name pass it."
    Relay "CONN-RELAY" Error "The relay refuses"
        "The relay between page and service did not pass the request on; its own code says why (docs/relay.md)."
        "RELAY_TARGET: list the environment in the relay's `environments`. RELAY_ORIGIN: list the page in its `origins`. RELAY_UNAUTHORIZED: sign in at the host."
    NotFound "CONN-NOT-FOUND" Error "No service at this address"
        "The host answers, but there is nothing under /data: another product's host, a wrong path, or an environment that is being serviced."
        "Cloud: the base URL is the origin alone. On premises it ends with /namespaces/AXSF."
    Unavailable "CONN-UNAVAILABLE" Error "The service is not available"
        "The service or a gateway before it answers with an error of its own (5xx), or is too busy (429), also after a repetition."
        "Try again later. System administration > Setup > Throttling priority mapping gives the application a better place when the service is busy."
    Clock "CONN-CLOCK" Warning "Clocks differ"
        "The date in the service's answers and the clock of this machine are more than 5 minutes apart. Tokens seem to be expired or not yet valid then, and signatures of the storage likewise."
        "Set this machine's clock by a time server."

    // ── the token ──
    TokenNone "CONN-TOKEN-NONE" Error "No token"
        "The host's getToken (or credential) gave no token; the service was asked nothing. The reason is that of the token endpoint or of the host's own code."
        "Check tenant, client id and secret or certificate in Microsoft Entra: AADSTS7000215 wrong secret, 7000222 expired secret, 700016 unknown application, 500011 unknown environment."
    TokenUnreadable "CONN-TOKEN-UNREADABLE" Info "Token without readable claims"
        "The token is no JWT whose claims could be looked at. That alone is no fault: only the service has to read it."
        "If the service refuses it too: return the access token itself, without \"Bearer\" before it."
    TokenAudience "CONN-TOKEN-AUDIENCE" Error "Token for something else"
        "The token's audience is not the root of this environment. The service wants it in lower case, with https and without a trailing slash (*Troubleshoot service authentication*); a token for another environment, or for the product's application id, is refused. A warning where the service accepted the token all the same."
        "Ask for the scope <environment's origin>/.default: getToken gets it as `scope`, the token command as D365_RESOURCE."
    TokenTenant "CONN-TOKEN-TENANT" Error "Token of another tenant"
        "The token was issued by another tenant than the one that the environment sends callers to for sign-in."
        "Ask the token endpoint of the environment's own tenant, not /common or /organizations."
    TokenExpired "CONN-TOKEN-EXPIRED" Error "Token has expired"
        "The end of the token's life lies in the past: the host keeps it too long, or a clock is wrong."
        "Return a fresh token from getToken, with its expiresOn; when the reason is \"rejected\", do not return a cached one."
    TokenEarly "CONN-TOKEN-EARLY" Error "Token is not valid yet"
        "The beginning of the token's life lies more than 5 minutes in the future: a clock is wrong."
        "Set the clocks of this machine and of the one that asks for tokens."
    TokenPrincipal "CONN-TOKEN-PRINCIPAL" Error "Application has no service principal"
        "The token has no `oid`: the application was never consented to in the environment's tenant (*Troubleshoot service authentication*). A warning where the service accepted the token all the same."
        "Let an administrator of the tenant consent to the application: Microsoft Entra admin center > Enterprise applications."
    TokenRejected "CONN-TOKEN-REJECTED" Error "Token is not accepted"
        "The service answers 401, or sends the caller to its sign-in page, also with a fresh token."
        "See the other findings on the token. Where there are none, see that the application has its row under System administration > Setup > Microsoft Entra ID applications."

    // ── the application and its user ──
    AppNotRegistered "CONN-APP-NOT-REGISTERED" Error "Application is not registered"
        "The token is valid, but entities are refused with 403, or with 401 while the service document is not (field reports differ): the environment has no row for this application, so no user and no rights. A database refresh from production removes the row (experience, unverified)."
        "System administration > Setup > Microsoft Entra ID applications > New."
    Role "CONN-ROLE" Error "The user lacks a right"
        "The application's user may read some entities and is refused (403) others. The role *CLM integration role* gives the rights that contracts and agreements need (*Contract lifecycle management data integration APIs*)."
        "System administration > Users > Users > the application's user > Assign roles: CLM integration role."
    FeatureOff "CONN-FEATURE-OFF" Error "The CLM feature is off"
        "None of the CLM entities is there (404). They come with version 10.0.42, when the feature is switched on."
        "System administration > Workspaces > Feature management: enable \"(Preview) Integrate with external contract lifecycle management systems\"; the version must be 10.0.42 or later."
    EntityMissing "CONN-ENTITY-MISSING" Warning "Entity is not there"
        "The environment has no such OData collection (404): its version is older, or the configuration key of the entity is off."
        "Compare versions under Help & support > About; configuration keys are under System administration > Setup > License configuration."
    ReadFailed "CONN-READ-FAILED" Warning "Entity can't be read"
        "Reading one row fails with another answer than a refusal; the service's own words are in the message."
        "Give the words and the activity id to the environment's administrator."
    NotEstablished "CONN-NOT-ESTABLISHED" Info "The handshake is not done"
        "The service instance has no row, or its statuses are not both Success: in Supply Chain Management the connection is not shown as ready."
        "Carry out the handshake (scm.clm.connection.establish). The state is shown under Procurement and sourcing > Setup > CLM integration > Contract management parameters."

    // ── data management ──
    DataManagement "CONN-DATA-MANAGEMENT" Warning "No rights in data management"
        "Contracts are readable, but data projects or the package actions are refused (403). Only packages need them."
        "System administration > Users > Users > the application's user > Assign roles: add one with rights in data management, for example Data management operations user (which of them the CLM integration role has is unverified)."
    EntityList "CONN-ENTITY-LIST" Warning "Entity is not in the list of data management"
        "Data management does not list an entity under its usual name: the list was not refreshed since an update, or it was made in another language (labels are translated). Info where the list has none of the names."
        "Data management > Framework parameters > Entity settings > Refresh entity list."
    Staging "CONN-STAGING" Warning "Entity without staging"
        "Data management lists the entity as disabled, or without a staging table: runs with it fail or move nothing."
        "Data management > Data entities: open the entity, validate it, and build its staging table (Modify target mapping > Generate mapping)."
    ProjectMap "CONN-PROJECT-MAP" Error "Data project with a broken map"
        "A line of a data project has no valid mapping between staging and target. An export with it never ends (field report)."
        "Data management > the project > View map > Generate source mapping for the entity; or delete the line and call projects.ensure."
    TrackingOff "CONN-TRACKING-OFF" Info "Change tracking is off"
        "The entity's changes are not tracked, so only full exports are possible. An error where a data project wants to export the changes alone."
        "Data management > Data entities > the entity > Change tracking: enable primary table or entire entity."

    // ── storage ──
    StorageUnreachable "CONN-STORAGE-UNREACHABLE" Error "The storage can't be reached"
        "The service hands out a URL of its blob storage, and no answer comes from there. Rows can be read and written, packages can't."
        "Allow outgoing https to the host that the message names; from a page, send storage requests through the relay too."
    StorageRefused "CONN-STORAGE-REFUSED" Error "The storage refuses"
        "The blob storage answers 403 to a signature that is fresh: its firewall does not know this network, or a clock is wrong. Where the service hands out no URL at all, the message says so."
        "Ask the environment's administrator about network rules of the storage account; check the clocks."
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info().code)
    }
}
