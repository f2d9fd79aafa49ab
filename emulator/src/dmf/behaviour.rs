//! How data management, storage and queues behave where public sources are silent or disagree, or where a test wants
//! it otherwise: one document of settings, `dataManagement`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::store::{Db, StoreError};

/// All of it, with the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Behaviour {
    pub(crate) repeated_execution_id: RepeatedExecutionId,
    /// How long the record of a run is not there after the submission; one step at least. 0 to 600,000.
    pub(crate) record_delay_ms: u64,
    /// Life of write URLs. 1 to 604,800; default 2,100.
    pub(crate) write_url_seconds: u32,
    /// Life of read URLs. 1 to 604,800; default 600.
    pub(crate) read_url_seconds: u32,
    pub(crate) repeated_file_name: RepeatedFileName,
    pub(crate) newer_storage_version: NewerStorageVersion,
    /// After how long a message that was not acknowledged is offered again. 1 to 604,800; default 1,800.
    pub(crate) redelivery_seconds: u32,
    pub(crate) dequeue_form: DequeueForm,
    pub(crate) download_scheme: DownloadScheme,
    pub(crate) enqueue_answer: EnqueueAnswer,
    pub(crate) message_states: MessageStates,
    pub(crate) job_states: JobStates,
}

macro_rules! modes {
    ($($(#[$about:meta])* $name:ident { $(#[$first_about:meta])* $first:ident, $($(#[$more_about:meta])* $more:ident),+ })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) enum $name {
            #[default]
            $(#[$first_about])*
            $first,
            $($(#[$more_about])* $more),+
        }
    )+};
}

modes! {
    /// What becomes of a submission with an execution id that is known.
    RepeatedExecutionId { Refused, RunAgain,
        /// The id is answered, nothing runs.
        Ignored }
    /// What `GetAzureWriteUrl` hands out for a name that it has seen.
    RepeatedFileName { SameBlob, AnotherBlob }
    /// What storage does with a header `x-ms-version` that is newer than the version of its URLs.
    NewerStorageVersion { Refused, Accepted }
    /// Members of an answer to dequeue.
    DequeueForm { Current,
        /// The first three members alone.
        Older }
    /// Scheme of `DownloadLocation`.
    DownloadScheme { Http, Https }
    /// Body of an answer to enqueue.
    EnqueueAnswer { Text, Object }
    /// Spelling of `GetMessageStatus`.
    MessageStates {
        /// `Preprocessing`, `PostProcessingFailed`
        Documented,
        /// `PreProcessing`, `PostProcessingError`
        Field }
    /// `DataJobState` of job statuses.
    JobStates { Numbers, Names }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            repeated_execution_id: RepeatedExecutionId::default(),
            record_delay_ms: 0,
            write_url_seconds: 35 * 60,
            read_url_seconds: 10 * 60,
            repeated_file_name: RepeatedFileName::default(),
            newer_storage_version: NewerStorageVersion::default(),
            redelivery_seconds: 30 * 60,
            dequeue_form: DequeueForm::default(),
            download_scheme: DownloadScheme::default(),
            enqueue_answer: EnqueueAnswer::default(),
            message_states: MessageStates::default(),
            job_states: JobStates::default(),
        }
    }
}

impl Behaviour {
    pub(crate) fn read(db: &Db<'_>) -> Result<Self, StoreError> {
        let text = db.setting(SETTING)?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    /// Changes what is named; the error says what is wrong with it.
    pub(crate) fn change(db: &Db<'_>, changes: &Map<String, Json>) -> Result<Result<(), String>, StoreError> {
        let mut json = serde_json::to_value(Self::read(db)?)?;
        if let Some(object) = json.as_object_mut() {
            object.extend(changes.clone());
        }
        let changed: Self = match serde_json::from_value(json.clone()) {
            Ok(changed) => changed,
            Err(error) => return Ok(Err(format!("dataManagement: {error}"))),
        };
        if let Err(reason) = changed.check() {
            return Ok(Err(format!("dataManagement: {reason}")));
        }
        db.set_setting(SETTING, &json.to_string())?;
        Ok(Ok(()))
    }

    fn check(&self) -> Result<(), String> {
        let seconds = [
            ("writeUrlSeconds", self.write_url_seconds),
            ("readUrlSeconds", self.read_url_seconds),
            ("redeliverySeconds", self.redelivery_seconds),
        ];
        for (name, value) in seconds {
            if !(1..=604_800).contains(&value) {
                return Err(format!("{name} must be 1 to 604800"));
            }
        }
        if self.record_delay_ms > 600_000 {
            Err("recordDelayMs must be 0 to 600000".to_owned())
        } else {
            Ok(())
        }
    }
}

const SETTING: &str = "dataManagement";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let store = Store::open(None).unwrap();
        let change = |text: &str| {
            let changes: Map<String, Json> = serde_json::from_str(text).unwrap();
            store.with(|db| Behaviour::change(db, &changes)).unwrap()
        };
        assert_eq!(change(r#"{"repeatedExecutionId":"runAgain"}"#), Ok(()));
        assert_eq!(change(r#"{"recordDelayMs":600000}"#), Ok(()));
        for bad in [
            r#"{"recordDelayMs":600001}"#,
            r#"{"writeUrlSeconds":0}"#,
            r#"{"repeatedExecutionId":"never"}"#,
            r#"{"none":1}"#,
        ] {
            assert!(change(bad).unwrap_err().starts_with("dataManagement: "), "{bad}");
        }
        let read = store.with(Behaviour::read).unwrap();
        assert_eq!(
            read,
            Behaviour {
                repeated_execution_id: RepeatedExecutionId::RunAgain,
                record_delay_ms: 600_000,
                ..Behaviour::default()
            }
        );
    }
}
