//! Access and OData, over the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::{Sandbox, answer};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn who_may_call() {
    let Some(s) = Sandbox::start(&["--token-lifetime-seconds", "2"]).await else { return };
    let read = |token: Option<String>| {
        let s = &s;
        async move { s.send(Method::GET, "/data/LegalEntities", token.as_deref(), None).await }
    };
    let good = s.token.clone();
    assert_eq!(read(Some(good.clone())).await.status, 200);
    // Nothing, or nothing readable: to the sign-in page, which is HTML.
    for token in [None, Some("rubbish".to_owned()), Some("a.b.c".to_owned())] {
        let sent = read(token).await;
        assert_eq!(sent.status, 302);
        let page = answer(s.client.get(sent.headers["location"].to_str().unwrap())).await;
        assert_eq!(
            (page.status.as_u16(), page.headers["content-type"].to_str().unwrap()),
            (200, "text/html; charset=utf-8")
        );
    }
    // alg none, and a damaged signature.
    let body = good.split('.').nth(1).unwrap();
    assert_eq!(read(Some(format!("eyJhbGciOiJub25lIn0.{body}."))).await.status, 401);
    let cut = good.rfind('.').unwrap();
    assert_eq!(read(Some(format!("{}.AAAA", &good[..cut]))).await.status, 401);
    // The classic: a doubled slash in the scope gives an audience with a slash at its end.
    let scope = format!("{}//.default", s.text("baseUrl"));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", s.text("clientId")),
        ("client_secret", s.text("clientSecret")),
        ("scope", &scope),
    ];
    let slashed = s.token_request(&form, None).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(read(Some(slashed)).await.status, 401);
    // Without a row in the table of applications: the documents yes, entities no.
    let stranger = s.token_of("unregisteredClientId", "unregisteredClientSecret").await;
    for (path, status) in [
        ("/data", 200),
        ("/data/$metadata", 200),
        ("/data/LegalEntities", 403),
        ("/data/LegalEntities/$count", 403),
    ] {
        assert_eq!(s.send(Method::GET, path, Some(&stranger), None).await.status, status, "{path}");
    }
    let action = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetExecutionErrors";
    assert_eq!(s.send(Method::POST, action, Some(&stranger), Some("{}")).await.status, 403);
    // Two seconds later the first token is over.
    tokio::time::sleep(std::time::Duration::from_millis(3100)).await;
    assert_eq!(read(Some(good)).await.status, 401);
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_directorys_words() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let scope = format!("{}/.default", s.text("baseUrl"));
    let form = |id: &'static str, secret: &str, scope: &str, grant: &str| {
        [
            ("grant_type", grant.to_owned()),
            ("client_id", s.text(id).to_owned()),
            ("client_secret", secret.to_owned()),
            ("scope", scope.to_owned()),
        ]
    };
    let secret = s.text("clientSecret");
    let cases = [
        (form("clientId", "wrong", &scope, "client_credentials"), 401, "invalid_client", 7000215),
        (form("tenant", secret, &scope, "client_credentials"), 400, "unauthorized_client", 700016),
        (
            form("clientId", secret, "https://other.example/.default", "client_credentials"),
            400,
            "invalid_resource",
            500011,
        ),
        (form("clientId", secret, "openid", "client_credentials"), 400, "invalid_scope", 1002012),
        (form("clientId", secret, &scope, "password"), 400, "unsupported_grant_type", 70003),
    ];
    for (form, status, error, number) in cases {
        let pairs: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let refused = s.token_request(&pairs, None).await;
        assert_eq!((refused.status.as_u16(), refused.json()["error"].as_str()), (status, Some(error)));
        assert_eq!(refused.json()["error_codes"], json!([number]));
        assert!(
            refused.json()["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: "))
        );
        assert!(!refused.text.contains(secret));
    }
    let good = form("clientId", secret, &scope, "client_credentials");
    let pairs: Vec<(&str, &str)> = good.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let cross = s.token_request(&pairs, Some("https://app.example")).await;
    assert_eq!((cross.status.as_u16(), cross.json()["error_codes"].clone()), (400, json!([9002326])));
    // v1: strings where v2 has numbers.
    let v1 = s.text("tokenUrl").replace("/v2.0", "");
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={secret}&resource={}",
        s.text("clientId"),
        common::encode(s.text("baseUrl"))
    );
    let done =
        answer(s.client.post(v1).header("content-type", "application/x-www-form-urlencoded").body(body))
            .await
            .json();
    assert_eq!(done["expires_in"], "3599");
    assert_eq!(
        s.send(Method::GET, "/data/LegalEntities", done["access_token"].as_str(), None).await.status,
        200
    );
}

#[tokio::test]
async fn no_route_speaks_cors_and_other_hosts_are_refused() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let base = s.text("baseUrl");
    let blob = s.value("GetAzureWriteUrl", json!({"uniqueFileName": "x.zip"})).await;
    let blob: Value = serde_json::from_str(blob.as_str().unwrap()).unwrap();
    let blob = blob["BlobUrl"].as_str().unwrap();
    assert!(blob.contains("/dmf/x.zip?") && blob.contains("sp=rw") && blob.contains("sr=b"));
    let urls = [
        format!("{base}/data"),
        format!("{base}/data/VendorsV2"),
        s.text("tokenUrl").to_owned(),
        format!("{base}/_sandbox/runs"),
        format!("{base}/none"),
        blob.to_owned(),
    ];
    for url in urls {
        for method in [Method::GET, Method::OPTIONS, Method::PUT] {
            let sent = s
                .client
                .request(method.clone(), &url)
                .header("origin", "https://app.example")
                .header("access-control-request-method", "PUT")
                .header("access-control-request-headers", "authorization,x-ms-blob-type")
                .header("x-ms-blob-type", "BlockBlob")
                .header("authorization", format!("Bearer {}", if url == blob { "" } else { &s.token }));
            let sent = answer(if url == blob {
                s.client
                    .request(method.clone(), &url)
                    .header("origin", "https://app.example")
                    .header("access-control-request-method", "PUT")
                    .header("x-ms-blob-type", "BlockBlob")
            } else {
                sent
            })
            .await;
            let named: Vec<_> =
                sent.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
            assert!(named.is_empty(), "{method} {}: {named:?}", url.split('?').next().unwrap());
            if url == blob && method == Method::OPTIONS {
                assert_eq!(sent.status, 403);
            }
        }
    }
    for host in ["evil.example", "127.0.0.1", "evil.example:80"] {
        let sent = answer(s.client.get(format!("{base}/data/$metadata")).header("host", host)).await;
        assert_eq!(sent.status, 421, "{host}");
    }
    // The control path needs its key.
    assert_eq!(answer(s.client.get(format!("{base}/_sandbox/runs"))).await.status, 401);
    assert_eq!(
        answer(s.client.get(format!("{base}/_sandbox/runs")).header("x-sandbox-key", "x")).await.status,
        401
    );
}

#[tokio::test]
async fn lists_filter_page_and_keep_to_a_company() {
    let Some(s) = Sandbox::start(&["--page-size", "3"]).await else { return };
    let rows: Vec<Value> = (0..7)
        .map(|n| json!({"dataAreaId": if n < 5 {"usmf"} else {"DEMF"}, "VendorAccountNumber": format!("V{n}"), "VendorOrganizationName": format!("Firma {n} Süd"), "VendorGroupId": if n % 2 == 0 {"10"} else {"20"}}))
        .collect();
    s.load("VendorsV2", &rows).await;
    // Pages: three rows each, by absolute links, until none is given.
    let mut path = "/data/VendorsV2?$select=VendorAccountNumber&$count=true&cross-company=true".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = s.get(&path).await.json();
        assert_eq!(page["@odata.count"], 7);
        pages.push(
            page["value"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["VendorAccountNumber"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        path = next.strip_prefix(s.text("baseUrl")).unwrap().to_owned();
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let mut all = pages.concat();
    all.sort();
    assert_eq!(all, ["V0", "V1", "V2", "V3", "V4", "V5", "V6"]);
    // $top over pages stops where it should; $skip counts from the start.
    let first = s.get("/data/VendorsV2?$top=4&$skip=1&$orderby=VendorAccountNumber%20desc&cross-company=true&$select=VendorAccountNumber").await.json();
    let second = s
        .get(first["@odata.nextLink"].as_str().unwrap().strip_prefix(s.text("baseUrl")).unwrap())
        .await
        .json();
    let names = |page: &Value| {
        page["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["VendorAccountNumber"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["V5", "V4", "V3"]);
    assert_eq!(names(&second), ["V2"]);
    assert!(second.get("@odata.nextLink").is_none());
    // Companies.
    let id = "VendorAccountNumber";
    assert_eq!(s.get("/data/VendorsV2/$count").await.text, "\u{feff}5");
    assert_eq!(s.names("VendorsV2", &[("$filter", "dataAreaId eq 'demf'")], id).await, [""; 0]);
    assert_eq!(
        s.names("VendorsV2", &[("$filter", "dataAreaId eq 'DeMf'"), ("cross-company", "true")], id).await,
        ["V5", "V6"]
    );
    assert_eq!(
        s.names(
            "VendorsV2",
            &[(
                "$filter",
                "VendorGroupId eq '20' and (VendorAccountNumber eq 'V1' or VendorOrganizationName eq '*3 S*')"
            )],
            id
        )
        .await,
        ["V1", "V3"]
    );
    let own = "/data/VendorsV2(dataAreaId='DEMF',VendorAccountNumber='V5')";
    assert_eq!(s.get(own).await.status, 404);
    assert_eq!(s.get(&format!("{own}?cross-company=true")).await.json()["dataAreaId"], "demf");
    s.control("settings", json!({"defaultCompany": "demf"}).to_string()).await;
    assert_eq!(s.get(own).await.status, 200);
    // Refusals.
    let refused = |query: &'static str| {
        let s = &s;
        async move { s.get(&format!("/data/VendorsV2?{query}")).await }
    };
    let words = refused("$filter=startswith(VendorAccountNumber,'V')").await;
    assert_eq!(
        (words.status.as_u16(), words.error().as_str()),
        (400, "The type System.String for the query operator is not Queryable!")
    );
    for (query, status) in [
        ("$filter=Nope%20eq%201", 400),
        ("$select=Nope", 400),
        ("$top=-1", 400),
        ("$search=x", 400),
        ("$apply=x", 400),
        ("$expand=Warehouses($select=WarehouseId)", 400),
        ("$expand=Nope", 400),
        ("$expand=VendorGroupId", 400),
        ("$filter=VendorGroupId%20in%20('10')", 400),
    ] {
        assert_eq!(refused(query).await.status, status, "{query}");
    }
    assert_eq!(s.get("/data/Nothing").await.status, 404);
    assert_eq!(s.get("/data/VendorsV2(VendorAccountNumber='V5')").await.status, 400);
    assert_eq!(s.post("/data/$batch", &json!({})).await.status, 400);
    assert_eq!(s.get("/data/$batch").await.status, 405);
}

#[tokio::test]
async fn entities_are_created_changed_and_deleted() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let set = "/data/CLMIntegrationContracts";
    let contract = json!({"dataAreaId": "USMF", "ContractId": "C/1'", "ContractType": "NDA", "ContractStatus": "Draft", "EffectiveDate": "2026-04-01T14:00:00+02:00", "PartyNumber": null});
    // Business logic first refuses.
    let refused = s.post(set, &contract).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.error(),
        "Write failed for table row of type 'CLMIntegrationContractEntity'. Infolog: Warning: Contract type NDA was not found.; Warning: validateWrite failed on data source 'CLMIntegrationContractEntity (CLMIntegrationContractEntity)'."
    );
    assert_eq!(s.post("/data/CLMIntegrationContractTypes", &json!({"Name": "NDA"})).await.status, 201);
    let made = s.post(set, &contract).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let row = made.json();
    let tag = row["@odata.etag"].as_str().unwrap().to_owned();
    assert!(tag.starts_with("W/\""));
    assert_eq!(row["dataAreaId"], "usmf");
    assert_eq!(row["EffectiveDate"], "2026-04-01T12:00:00Z");
    assert_eq!(row["ExpirationDate"], "1900-01-01T00:00:00Z");
    assert_eq!((row["PartyNumber"].clone(), row["AmendmentInProcess"].clone()), (json!(""), json!("No")));
    assert!(s.post(set, &contract).await.error().contains("already exists"));
    for (name, value) in [
        ("Nope", json!(1)),
        ("ContractStatus", json!("Signed")),
        ("EffectiveDate", json!("tomorrow")),
        ("EffectiveDate", json!(null)),
        ("ContractName", json!(5)),
    ] {
        let mut bad = json!({"ContractId": "C2"});
        bad[name] = value;
        assert_eq!(s.post(set, &bad).await.status, 400, "{name}");
    }
    assert_eq!(s.post(set, &json!({"ContractName": "no key"})).await.status, 400);
    assert!(s.post(set, &json!({"dataAreaId": "xxxx", "ContractId": "C3"})).await.error().contains("xxxx"));

    let url = format!("{set}(dataAreaId='usmf',ContractId='C%2F1%27%27')");
    let stale = s
        .client
        .patch(format!("{}{url}", s.text("baseUrl")))
        .bearer_auth(&s.token)
        .header("if-match", "W/\"other\"")
        .body("{}");
    assert_eq!(answer(stale).await.status, 412);
    let fresh = s
        .client
        .patch(format!("{}{url}", s.text("baseUrl")))
        .bearer_auth(&s.token)
        .header("if-match", &tag)
        .body("{\"ContractStatus\":\"Executed\"}");
    assert_eq!(answer(fresh).await.status, 204);
    let now = s.get(&url).await.json();
    assert_eq!(now["ContractStatus"], "Executed");
    assert_ne!(now["@odata.etag"], tag.as_str());
    assert_eq!(s.get(&format!("{url}/ContractStatus")).await.json()["value"], "Executed");
    assert_eq!(s.patch(&url, &json!({"ContractType": "None such"})).await.status, 400);

    let link = s
        .post(
            &format!("{set}/Microsoft.Dynamics.DataEntities.GenerateContractDetailFormURLByContractId"),
            &json!({"_contractId": "C/1'", "_companyId": "USMF"}),
        )
        .await
        .json();
    let start = format!(
        "{}/?cmp=usmf&prt=initial&mi=display:CLMIntegrationContractTable&pageType=Details&q=",
        s.text("baseUrl")
    );
    assert!(link["value"].as_str().unwrap().starts_with(&start));

    assert_eq!(s.send(Method::DELETE, &url, Some(&s.token), None).await.status, 204);
    assert_eq!(s.get(&url).await.status, 404);
    assert_eq!(s.patch(&url, &json!({})).await.status, 404);
    assert_eq!(s.post("/data/DataManagementEntities", &json!({"EntityName": "x"})).await.status, 400);
    // Enum keys: the row exists, the key URL does not find it.
    assert_eq!(
        s.post("/data/CLMIntegrationExternalNavigationLinks", &json!({"NavigationType": "ViewContract"}))
            .await
            .status,
        201
    );
    let by_key = "/data/CLMIntegrationExternalNavigationLinks(NavigationType=Microsoft.Dynamics.DataEntities.CLMIntegrationNavigationType'ViewContract')";
    assert_eq!(s.get(by_key).await.status, 404);
}

#[tokio::test]
async fn numbers_come_back_exactly() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let sent = r#"{"CurrencyCode":"XTS","GeneralRoundingRule":0.10,"RoundingRulePrices":12345678901234567890.123456}"#;
    let made = s.send(Method::POST, "/data/Currencies", Some(&s.token), Some(sent)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let read = s.get("/data/Currencies('XTS')").await.text;
    assert!(
        read.contains("\"GeneralRoundingRule\":0.10,")
            && read.contains("\"RoundingRulePrices\":12345678901234567890.123456"),
        "{read}"
    );
    assert_eq!(
        s.names(
            "Currencies",
            &[(
                "$filter",
                "GeneralRoundingRule eq 0.1 and RoundingRulePrices gt 12345678901234567890.123455"
            )],
            "CurrencyCode"
        )
        .await,
        ["XTS"]
    );
    assert_eq!(
        s.send(
            Method::POST,
            "/data/Currencies",
            Some(&s.token),
            Some(r#"{"CurrencyCode":"XXX","GeneralRoundingRule":"0.10"}"#)
        )
        .await
        .status,
        400
    );
    // An Int64 beyond 2^53.
    let big = r#"{"dataAreaId":"usmf","VendorAccountNumber":"V1","AddressRecordId":9007199254740993}"#;
    let name = common::encode("VendorsV2");
    let loaded = s.control(&format!("load/{name}"), big.to_owned()).await;
    assert_eq!(loaded.status, 200, "{}", loaded.text);
    assert!(s.get("/data/VendorsV2").await.text.contains("\"AddressRecordId\":9007199254740993"));
}
