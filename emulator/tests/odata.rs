//! The OData surface beyond plain lists and writes, asked over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::{Answer, Sandbox, answer, encode};
use reqwest::Method;
use serde_json::{Value, json};

const AGREEMENTS: &str = "/data/CLMIntegrationPurchaseAgreements";

/// Sends a batch whose text is written with LF.
async fn batch(s: &Sandbox, text: &str, prefer: Option<&str>) -> Answer {
    let url = format!("{}/data/$batch", s.text("baseUrl"));
    let mut request = s
        .client
        .post(url)
        .bearer_auth(&s.token)
        .header("content-type", "multipart/mixed; boundary=batch_1")
        .body(text.replace('\n', "\r\n"));
    if let Some(prefer) = prefer {
        request = request.header("prefer", prefer);
    }
    answer(request).await
}

/// A part with one request.
fn part(id: &str, line: &str, body: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!("Content-ID: {id}\n") };
    format!(
        "Content-Type: application/http\nContent-Transfer-Encoding: binary\n{id}\n{line} HTTP/1.1\nContent-Type: application/json;odata.metadata=minimal\n\n{body}\n"
    )
}

fn change_set(parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--cs\n{part}")).collect();
    format!("Content-Type: multipart/mixed; boundary=cs\n\n{parts}--cs--\n")
}

fn message(items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("--batch_1\n{item}")).collect();
    format!("{items}--batch_1--\n")
}

/// Status lines in order.
fn statuses(answer: &Answer) -> Vec<u16> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let lines = answer.text.split("\r\n").filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines.map(|line| line[..3].parse().unwrap()).collect()
}

#[tokio::test]
async fn a_change_set_is_kept_whole_or_not_at_all() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let base = s.text("baseUrl").to_owned();
    let currency = |code: &str| format!("{{\"CurrencyCode\":\"{code}\",\"Name\":\"n\"}}");
    // Absolute, relative and rooted URLs; the entity made before by its Content-ID.
    let done = batch(
        &s,
        &message(&[
            change_set(&[
                part("1", &format!("POST {base}/data/Currencies"), &currency("XA1")),
                part("2", "POST Currencies", &currency("XA2")),
                part("3", "PATCH $1", "{\"Name\":\"changed\"}"),
                part("4", "DELETE /data/Currencies('XA2')", ""),
            ]),
            part("", "GET Currencies?$select=CurrencyCode,Name", ""),
        ]),
        None,
    )
    .await;
    assert_eq!(statuses(&done), [201, 201, 204, 204, 200]);
    assert!(
        done.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("multipart/mixed; boundary=batchresponse_")
    );
    let ids: Vec<&str> =
        done.text.split("\r\n").filter_map(|line| line.strip_prefix("Content-ID: ")).collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    assert!(done.text.contains(&format!("location: {base}/data/Currencies(CurrencyCode='XA1')\r\n")));
    assert!(done.text.contains("\"CurrencyCode\":\"XA1\",\"Name\":\"changed\"}"));

    // The third fails: the two before it are undone, one part answers for all, and what follows is not done.
    let failing = [
        change_set(&[
            part("1", "POST Currencies", &currency("XB1")),
            part("2", "PATCH Currencies('XA1')", "{\"Name\":\"lost\"}"),
            part("3", "POST Currencies", &currency("XB1")),
        ]),
        part("", "POST Currencies", &currency("XB2")),
    ];
    let failed = batch(&s, &message(&failing), None).await;
    assert_eq!(statuses(&failed), [400]);
    assert!(failed.text.contains("The record already exists."));
    assert!(!failed.text.contains("changesetresponse"));
    assert_eq!(s.names("Currencies", &[], "CurrencyCode").await, ["XA1"]);
    assert_eq!(s.get("/data/Currencies('XA1')").await.json()["Name"], "changed");
    let gone_on = batch(&s, &message(&failing), Some("odata.continue-on-error")).await;
    assert_eq!(statuses(&gone_on), [400, 201]);
    assert_eq!(s.names("Currencies", &[], "CurrencyCode").await, ["XA1", "XB2"]);
    // A number that was given in a change set that failed is given again.
    s.load("VendorsV2", &[json!({"dataAreaId": "usmf", "VendorAccountNumber": "V1"})]).await;
    let agreement = part(
        "1",
        "POST CLMIntegrationPurchaseAgreements",
        "{\"dataAreaId\":\"usmf\",\"AgreementVendorAccountNumber\":\"V1\"}",
    );
    let bad = part("2", "PATCH $9", "{}");
    let failed = batch(&s, &message(&[change_set(&[agreement.clone(), bad])]), None).await;
    assert_eq!(statuses(&failed), [400]);
    assert!(failed.text.contains("$9"));
    let made = batch(&s, &message(&[change_set(&[agreement])]), None).await;
    assert!(made.text.contains("\"PurchaseAgreementId\":\"000001\""), "{}", made.text);
}

#[tokio::test]
async fn batches_that_the_service_refuses() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let get = part("", "GET Currencies", "");
    let words = batch(&s, &message(&[change_set(&[part("1", "GET Currencies", "")])]), None).await;
    assert_eq!(words.status, 400);
    assert!(words.error().contains("An invalid HTTP method 'GET'"), "{}", words.text);
    let json = s.post("/data/$batch", &json!({"requests": []})).await;
    assert_eq!(
        (json.status.as_u16(), json.error().as_str()),
        (400, "The batch request must be of media type 'multipart/mixed'.")
    );
    // The limit counts operations, wherever they stand; nothing is done.
    let post = |n: usize| part(&n.to_string(), "POST Currencies", &format!("{{\"CurrencyCode\":\"{n}\"}}"));
    let many: Vec<String> = (0..5_000).map(post).collect();
    let over = batch(&s, &message(&[change_set(&many), get.clone()]), None).await;
    assert_eq!(
        (over.status.as_u16(), over.error().as_str()),
        (
            400,
            "The current change set contains too many operations. A maximum number of '5000' operations are allowed in a change set."
        )
    );
    assert!(s.names("Currencies", &[], "CurrencyCode").await.is_empty());
    let full = batch(&s, &message(&[change_set(&many)]), None).await;
    assert_eq!(statuses(&full).len(), 5_000);
    assert_eq!(s.get("/data/Currencies/$count").await.text, "\u{feff}5000");
    // Another environment, a nested batch, an unknown resource: answers of single operations.
    for (line, status) in [
        ("GET https://other.example/data/Currencies", 400),
        ("POST $batch", 400),
        ("GET /elsewhere", 404),
        ("GET Nothing", 404),
        ("GET Currencies?$search=x", 400),
    ] {
        assert_eq!(statuses(&batch(&s, &message(&[part("", line, "")]), None).await), [status], "{line}");
    }
    let line = "POST CLMIntegrationPurchaseAgreements(dataAreaId='usmf',PurchaseAgreementId='1')/CLMIntegrationPurchaseAgreementLines";
    assert_eq!(statuses(&batch(&s, &message(&[part("", line, "{}")]), None).await), [501]);
    assert_eq!(statuses(&batch(&s, &message(&[part("", "PUT Currencies('1')", "{}")]), None).await), [501]);
    // An ETag of an operation counts.
    let stale = part("7", "PATCH Currencies('1')", "{}").replace("\n\n{}", "\nIf-Match: W/\"x\"\n\n{}");
    assert_eq!(statuses(&batch(&s, &message(&[change_set(&[stale])]), None).await), [412]);
    // Cross-company stands at each inner URL.
    s.load("VendorsV2", &[json!({"dataAreaId": "demf", "VendorAccountNumber": "V1"})]).await;
    let vendor = "VendorsV2(dataAreaId='demf',VendorAccountNumber='V1')";
    let own = part("", &format!("GET {vendor}"), "");
    let all = part("", &format!("GET {vendor}?cross-company=true"), "");
    let both = batch(&s, &message(&[own, all]), Some("odata.continue-on-error")).await;
    assert_eq!(statuses(&both), [404, 200]);
    // A link inside of a change set, an asynchronous action only outside of one.
    let link = "POST VendorsV2/Microsoft.Dynamics.DataEntities.GenerateVendorDetailFormURL";
    let body = "{\"_vendAccount\":\"V1\",\"_companyId\":\"demf\"}";
    let linked = batch(&s, &message(&[change_set(&[part("1", link, body)])]), None).await;
    assert_eq!(statuses(&linked), [200]);
    let version = "POST DataManagementEntities/Microsoft.Dynamics.DataEntities.GetApplicationVersion";
    let inside = batch(&s, &message(&[change_set(&[part("1", version, "{}")])]), None).await;
    assert_eq!(statuses(&inside), [501]);
    assert_eq!(statuses(&batch(&s, &message(&[part("", version, "{}")]), None).await), [200]);
}

#[tokio::test]
async fn related_entities_are_expanded_and_read() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    s.load(
        "VendorsV2",
        &[
            json!({"dataAreaId": "usmf", "VendorAccountNumber": "V1"}),
            json!({"dataAreaId": "demf", "VendorAccountNumber": "V1"}),
            json!({"dataAreaId": "usmf", "VendorAccountNumber": "V2"}),
        ],
    )
    .await;
    s.load("Currencies", &[json!({"CurrencyCode": "USD", "Name": "Dollar"})]).await;
    let agreement = |company: &str, id: &str, vendor: &str, currency: &str| json!({"dataAreaId": company, "PurchaseAgreementId": id, "InvoiceVendorAccountNumber": vendor, "CurrencyCode": currency});
    s.load(
        "CLMIntegrationPurchaseAgreements",
        &[
            agreement("usmf", "A1", "v1", "USD"),
            agreement("usmf", "A2", "V1", ""),
            agreement("demf", "A3", "V1", "XXX"),
        ],
    )
    .await;
    let line = |number: i32| json!({"dataAreaId": "usmf", "PurchaseAgreementId": "A1", "LineNumber": number});
    s.load("CLMIntegrationPurchaseAgreementLines", &[line(2), line(1)]).await;

    let rows = s
        .get(&format!(
            "{AGREEMENTS}?cross-company=true&$expand=Currency,CLMIntegrationPurchaseAgreementLines&$select=PurchaseAgreementId,Currency"
        ))
        .await
        .json();
    let rows = rows["value"].as_array().unwrap();
    assert_eq!(
        rows.iter().map(|row| row["PurchaseAgreementId"].as_str().unwrap()).collect::<Vec<_>>(),
        ["A3", "A1", "A2"]
    );
    assert_eq!(rows[1]["Currency"]["Name"], "Dollar");
    assert_eq!((&rows[0]["Currency"], &rows[2]["Currency"]), (&Value::Null, &Value::Null));
    assert!(rows[1]["Currency"]["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    let numbers = |row: &Value| -> Vec<i64> {
        row["CLMIntegrationPurchaseAgreementLines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["LineNumber"].as_i64().unwrap())
            .collect()
    };
    assert_eq!((numbers(&rows[1]), numbers(&rows[2])), (vec![1, 2], vec![]));
    assert!(rows[1].get("CurrencyCode").is_none());

    // By key, backwards, within the company; the case of a text does not matter unless the settings say so.
    let vendor = "/data/VendorsV2(dataAreaId='usmf',VendorAccountNumber='V1')";
    let back = "CLMIntegrationPurchaseAgreementHeaders";
    let ids = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|row| row["PurchaseAgreementId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&s.get(&format!("{vendor}?$expand={back}")).await.json()[back]), ["A1", "A2"]);
    // The company joins too.
    let all = s.get(&format!("{vendor}/{back}?cross-company=true")).await.json();
    assert_eq!(ids(&all["value"]), ["A1", "A2"]);
    let listed = s
        .get(&format!("{vendor}/{back}?$select=PurchaseAgreementId&$orderby=PurchaseAgreementId%20desc&$top=1&$count=true"))
        .await
        .json();
    assert_eq!((listed["@odata.count"].as_i64(), ids(&listed["value"])), (Some(2), vec!["A2".to_owned()]));
    s.control("settings", json!({"textCase": "exact"}).to_string()).await;
    assert_eq!(ids(&s.get(&format!("{vendor}/{back}")).await.json()["value"]), ["A2"]);
    // To one: the row, or nothing.
    let currency = |id: &str| format!("{AGREEMENTS}(dataAreaId='usmf',PurchaseAgreementId='{id}')/Currency");
    assert_eq!(s.get(&currency("A1")).await.json()["CurrencyCode"], "USD");
    assert_eq!(s.get(&currency("A2")).await.status, 204);
    assert_eq!(s.get(&currency("A9")).await.status, 404);

    for bad in [
        "Currency/Name",
        "Currency($select=Name)",
        "CLMIntegrationPurchaseAgreementLines($expand=Project)",
        "*",
        "Nope",
        "CurrencyCode",
        "Currency,",
    ] {
        let refused = s.get(&format!("{AGREEMENTS}?$expand={}", encode(bad))).await;
        assert_eq!(refused.status, 400, "{bad}");
        let deeper = bad.contains(['/', '(', '*']);
        assert_eq!(refused.error().contains("first level"), deeper, "{bad}");
    }
}

#[tokio::test]
async fn what_is_unverified_can_be_switched() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let rows: Vec<Value> = (0..5).map(|n| json!({"CurrencyCode": format!("c{n}"), "Name": "Euro"})).collect();
    s.load("Currencies", &rows).await;
    let set = |settings: Value| {
        let s = &s;
        async move { s.control("settings", settings.to_string()).await.status.as_u16() }
    };
    let found = |filter: &'static str| {
        let s = &s;
        async move { s.get(&format!("/data/Currencies?$filter={}", encode(filter))).await }
    };
    let count = |answer: Answer| answer.json()["value"].as_array().unwrap().len();

    assert_eq!(count(found("Name eq 'EURO'").await), 5);
    assert_eq!(set(json!({"textCase": "exact"})).await, 200);
    assert_eq!(count(found("Name eq 'EURO'").await), 0);
    // A later call leaves the others as they are.
    assert_eq!(set(json!({"eqNull": "refused", "eqEmpty": "refused"})).await, 200);
    assert_eq!(count(found("Name eq 'EURO'").await), 0);
    assert_eq!(found("Name eq null").await.status, 400);
    assert_eq!(found("Name eq ''").await.status, 400);
    assert_eq!(set(json!({"eqNull": "accepted", "eqEmpty": "matches"})).await, 200);
    assert_eq!(count(found("Name ne null and Name ne ''").await), 5);

    // ETags change with each write, and count where they are enforced.
    let url = format!("{}/data/Currencies('c1')", s.text("baseUrl"));
    let patch = |tag: &str, name: &str| {
        let body = json!({"Name": name}).to_string();
        answer(s.client.patch(&url).bearer_auth(&s.token).header("if-match", tag).body(body))
    };
    let tag = |row: Value| row["@odata.etag"].as_str().unwrap().to_owned();
    let first = tag(s.get("/data/Currencies('c1')").await.json());
    assert_eq!(patch(&first, "A").await.status, 204);
    let second = tag(s.get("/data/Currencies('c1')").await.json());
    assert_ne!(first, second);
    assert_eq!(patch(&first, "B").await.status, 412);
    assert_eq!(patch("*", "C").await.status, 204);
    assert_eq!(
        patch(&format!("W/\"x\", {}", tag(s.get("/data/Currencies('c1')").await.json())), "D").await.status,
        204
    );
    let delete = s.client.delete(&url).bearer_auth(&s.token).header("if-match", &first);
    assert_eq!(answer(delete).await.status, 412);
    assert_eq!(set(json!({"ifMatch": "ignore"})).await, 200);
    assert_eq!(patch(&first, "E").await.status, 204);
    assert_eq!(s.get("/data/Currencies('c1')").await.json()["Name"], "E");

    // Page size.
    let page = |prefer: &str| {
        let url = format!("{}/data/Currencies?$orderby=CurrencyCode", s.text("baseUrl"));
        answer(s.client.get(url).bearer_auth(&s.token).header("prefer", prefer))
    };
    let ignored = page("odata.maxpagesize=2").await;
    assert!(ignored.headers.get("preference-applied").is_none());
    assert_eq!(count(ignored), 5);
    assert_eq!(set(json!({"maxPageSize": "honoured"})).await, 200);
    let honoured = page("odata.continue-on-error, odata.maxpagesize=2").await;
    assert_eq!(honoured.headers["preference-applied"], "odata.maxpagesize=2");
    assert!(honoured.json()["@odata.nextLink"].as_str().unwrap().ends_with("$skiptoken=2"));
    assert_eq!(count(honoured), 2);

    for bad in
        [json!({"textCase": "maybe"}), json!({"ifmatch": "ignore"}), json!({"supportIdHeaders": ["a b"]})]
    {
        assert_eq!(set(bad.clone()).await, 400, "{bad}");
    }
}

#[tokio::test]
async fn answers_carry_ids_and_requests_are_throttled_when_asked() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let get = |path: &str| {
        let url = format!("{}{path}", s.text("baseUrl"));
        answer(s.client.get(url).bearer_auth(&s.token).header("x-ms-client-request-id", "my id"))
    };
    for path in ["/data/Currencies", "/data/Nothing", "/Metadata/DataEntities", "/metadata/Nothing"] {
        let found = get(path).await;
        assert_eq!(found.headers["x-ms-client-request-id"], "my id", "{path}");
        assert_eq!(found.headers["ms-dyn-aid"].len(), 36, "{path}");
        let timing = found.headers["server-timing"].to_str().unwrap();
        assert!(timing.strip_prefix("dur=").unwrap().parse::<f64>().is_ok(), "{timing}");
    }
    s.control("settings", json!({"supportIdHeaders": ["x-a", "x-b"]}).to_string()).await;
    let renamed = get("/data/Currencies").await;
    assert_eq!(renamed.headers["x-a"], renamed.headers["x-b"]);
    assert!(renamed.headers.get("ms-dyn-aid").is_none());

    let ask = |rules: Value| {
        let s = &s;
        async move { s.control("throttle", rules.to_string()).await.status.as_u16() }
    };
    let date = "Wed, 21 Oct 2099 07:28:00 GMT";
    assert_eq!(ask(json!({"next": 2, "retryAfter": date})).await, 200);
    for path in ["/Metadata/DataEntities", "/data/Currencies"] {
        let refused = get(path).await;
        assert_eq!(refused.status, 429, "{path}");
        assert_eq!(refused.headers["retry-after"], date);
        assert_eq!(refused.headers["x-ms-client-request-id"], "my id");
        assert!(refused.error().starts_with("This request could not be processed at this time"));
    }
    assert_eq!(get("/data/Currencies").await.status, 200);
    assert_eq!(ask(json!({"requests": 1, "per": 86400})).await, 200);
    assert_eq!(get("/data/Currencies").await.status, 200);
    let refused = get("/data/Currencies").await;
    assert_eq!(
        refused.error(),
        "Number of requests exceeded the limit of 1 over the time window of 86400 seconds."
    );
    assert!(refused.headers.get("retry-after").is_none());
    // Data management is exempt.
    assert_eq!(s.action("GetExecutionErrors", json!({"executionId": "x"})).await.status, 200);
    assert_eq!(ask(json!({})).await, 200);
    assert_eq!(get("/data/Currencies").await.status, 200);
    assert_eq!(ask(json!({"per": 0})).await, 400);
}

#[tokio::test]
async fn the_metadata_service_lists_what_is_there() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let get = |path: String| {
        let s = &s;
        async move { s.get(&path).await }
    };
    let list = |query: &str| get(format!("/Metadata/DataEntities?{query}"));
    let names = |answer: Answer| -> Vec<String> {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let json = answer.json();
        json["value"].as_array().unwrap().iter().map(|e| e["Name"].as_str().unwrap().to_owned()).collect()
    };
    let filter = |text: &str| list(&format!("$filter={}", encode(text)));
    assert_eq!(names(filter("contains(tolower(Name),'vendvendor')").await), ["VendVendorV2Entity"]);
    assert_eq!(names(filter("DataServiceEnabled eq false").await), ["PurchAgreementClassificationEntity"]);
    let masters = names(
        filter(
            "EntityCategory eq Microsoft.Dynamics.Metadata.EntityCategory'Master' and contains(Name,'V2')",
        )
        .await,
    );
    assert!(masters.contains(&"VendVendorV2Entity".to_owned()), "{masters:?}");
    assert!(!masters.contains(&"CLMIntegrationContractEntity".to_owned()));
    let some = list("$select=Name,PublicCollectionName&$skip=1&$top=2&$count=true").await.json();
    assert_eq!(some["@odata.count"], 34);
    assert_eq!(some["value"].as_array().unwrap().len(), 2);
    assert_eq!(
        some["value"][0],
        json!({"Name": "DataManagementDefinitionGroupDetailEntity", "PublicCollectionName": "DataManagementDefinitionGroupDetails"})
    );
    for bad in ["$filter=Name%20gt%20'a'", "$select=Nope", "$orderby=Name", "$filter=startswith(Name,'V')"] {
        assert_eq!(list(bad).await.status, 400, "{bad}");
    }
    let vendor = get("/metaDATA/dataentities('VendVendorV2Entity')".to_owned()).await.json();
    assert_eq!(
        (&vendor["PublicEntityName"], &vendor["PublicCollectionName"]),
        (&json!("VendorV2"), &json!("VendorsV2"))
    );
    // By the name of the type, not of the collection.
    assert_eq!(get("/Metadata/PublicEntities('VendorsV2')".to_owned()).await.status, 404);
    let vendor = get("/Metadata/PublicEntities('VendorV2')".to_owned()).await.json();
    assert_eq!(vendor["EntitySetName"], "VendorsV2");
    let properties = vendor["Properties"].as_array().unwrap();
    assert_eq!(properties.len(), 291);
    let account = properties.iter().find(|p| p["Name"] == "VendorAccountNumber").unwrap();
    assert_eq!(
        (&account["TypeName"], &account["DataType"], &account["IsKey"], &account["AllowEdit"]),
        (&json!("Edm.String"), &json!("String"), &json!(true), &json!(false))
    );
    assert_eq!(
        vendor["Actions"],
        json!([{
            "Name": "GenerateVendorDetailFormURL", "BindingKind": "BoundToEntitySet",
            "Parameters": [
                {"Name": "_vendAccount", "Type": {"TypeName": "Edm.String", "IsCollection": false}},
                {"Name": "_companyId", "Type": {"TypeName": "Edm.String", "IsCollection": false}},
            ],
            "ReturnType": {"TypeName": "Edm.String", "IsCollection": false},
        }])
    );
    let all = get("/Metadata/PublicEntities?$select=Name,EntitySetName".to_owned()).await.json();
    assert_eq!(all["value"].as_array().unwrap().len(), 33);
    let enumeration = get("/Metadata/PublicEnumerations('NoYes')".to_owned()).await.json();
    let members: Vec<(&Value, &Value)> =
        enumeration["Members"].as_array().unwrap().iter().map(|m| (&m["Name"], &m["Value"])).collect();
    assert_eq!(members, [(&json!("No"), &json!(0)), (&json!("Yes"), &json!(1))]);
    // Labels.
    let id = account["LabelId"].as_str().unwrap();
    let label = |id: &str| get(format!("/Metadata/Labels(Id='{}',Language='en-us')", encode(id)));
    assert_eq!(label(id).await.json()["Value"], "Vendor account number");
    assert_eq!(label("@SYS1").await.status, 404);
    s.control("settings", json!({"labels": {"@SYS1": {"en-us": "Customer"}}}).to_string()).await;
    assert_eq!(label("@SYS1").await.json()["Value"], "Customer");
    let refused = get(format!("/Metadata/Labels?$filter={}", encode("Id eq '@SYS1'"))).await;
    assert_eq!(refused.status, 400);
    assert_eq!(get("/Metadata/PublicEntities('VendorV2','x')".to_owned()).await.status, 400);
    assert_eq!(get("/Metadata/Nothing".to_owned()).await.status, 404);
    assert_eq!(s.post("/Metadata/DataEntities", &json!({})).await.status, 405);
    // No access without a token or a registration.
    assert_eq!(s.send(Method::GET, "/Metadata/DataEntities", None, None).await.status, 302);
    let other = s.token_of("unregisteredClientId", "unregisteredClientSecret").await;
    assert_eq!(s.send(Method::GET, "/Metadata/DataEntities", Some(&other), None).await.status, 403);
    // The document under /data, with lengths where settings know them; never compressed.
    let url = format!("{}/data/$metadata", s.text("baseUrl"));
    s.control("settings", json!({"maxLengths": {"Currencies": {"Name": 60}}}).to_string()).await;
    let document = answer(s.client.get(url).bearer_auth(&other).header("accept-encoding", "gzip, br")).await;
    assert!(document.headers.get("content-encoding").is_none());
    assert!(document.text.contains("<Property Name=\"Name\" Type=\"Edm.String\" MaxLength=\"60\"/>"));
}

#[tokio::test]
async fn installed_modules_are_named() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let action = |name: &str| format!("/data/SystemNotifications/Microsoft.Dynamics.DataEntities.{name}");
    let modules = s.post(&action("GetInstalledModules"), &json!({})).await.json();
    assert!(modules["@odata.context"].as_str().unwrap().ends_with("#Collection(Edm.String)"));
    for line in modules["value"].as_array().unwrap() {
        let names: Vec<&str> =
            line.as_str().unwrap().split(" | ").map(|part| part.split_once(": ").unwrap().0).collect();
        assert_eq!(names, ["Name", "Version", "Module", "Publisher", "DisplayName"]);
    }
    assert_eq!(s.post(&action("Other"), &json!({})).await.status, 404);
    assert_eq!(s.get("/data/SystemNotifications").await.status, 404);
}
