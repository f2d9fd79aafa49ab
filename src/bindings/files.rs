//! Files of the service on their way to JavaScript, range by range; and the messages of queues, which are handed over with one.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;

use js_sys::Uint8Array;
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::client::Client;
use super::driver::{NoExtras, drive};
use super::host::Host;
use super::parse::parse;
use super::thrown::throw;
use crate::dmf::executions::{self, ErrorFile};
use crate::dmf::queue::{self, Message};
use crate::dmf::{Dialogue, Piece, RemoteFile};
use crate::error::Result;
use crate::fields::{Fields, FromValue};

/// A file of the service.
#[wasm_bindgen]
pub struct WireFile {
    host: Host,
    file: RefCell<RemoteFile>,
}

/// A message of a queue.
#[wasm_bindgen]
pub struct WireMessage {
    host: Host,
    message: Message,
}

/// All that a dialogue may end with. One type, so that there is one loop for all of them.
pub(super) enum Output {
    Text(Option<String>),
    File(Option<RemoteFile>),
    Message(Option<Message>),
    Piece(Piece),
}

/// Holds the dialogue to its end.
pub(super) fn hold(
    host: &Host,
    mut dialogue: Dialogue<Output>,
    signal: Option<AbortSignal>,
) -> Pin<Box<dyn Future<Output = Result<Output, JsValue>> + '_>> {
    Box::pin(async move { drive(&mut dialogue, host, &NoExtras, signal).await.map_err(JsValue::from) })
}

struct ErrorFileOptions {
    execution: String,
    entity: String,
    kind: ErrorFile,
}

impl FromValue for ErrorFileOptions {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let options = Self {
            execution: of.required("execution", Fields::text),
            entity: of.required("entity", Fields::text),
            kind: of.must("kind", ErrorFile::Staging),
        };
        of.finish(options)
    }
}

struct EnqueueOptions {
    activity: String,
    entity: Option<String>,
    company: Option<String>,
    external_id: Option<String>,
}

impl FromValue for EnqueueOptions {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let options = Self {
            activity: of.required("activity", Fields::text),
            entity: of.text("entity"),
            company: of.text("company"),
            external_id: of.text("externalId"),
        };
        of.finish(options)
    }
}

#[wasm_bindgen]
impl Client {
    /// The file of the rows that failed, or nothing.
    #[wasm_bindgen(js_name = errorFile)]
    pub async fn error_file(
        &self,
        options: &str,
        signal: Option<AbortSignal>,
    ) -> Result<Option<WireFile>, JsValue> {
        let options: ErrorFileOptions = parse(options, "options of the error file").map_err(throw)?;
        let dialogue =
            executions::error_file(&self.service, &options.execution, &options.entity, options.kind)
                .map_err(throw)?;
        match hold(&self.host, dialogue.map(Output::File), signal).await? {
            Output::File(Some(file)) => {
                Ok(Some(WireFile { host: self.host.clone(), file: RefCell::new(file) }))
            }
            _ => Ok(None),
        }
    }

    /// The id of the message.
    pub async fn enqueue(
        &self,
        options: &str,
        bytes: Vec<u8>,
        signal: Option<AbortSignal>,
    ) -> Result<String, JsValue> {
        let options: EnqueueOptions = parse(options, "options of the message").map_err(throw)?;
        let dialogue = queue::enqueue(
            &self.service,
            &options.activity,
            bytes,
            options.entity.as_deref(),
            options.company.as_deref(),
            options.external_id.as_deref(),
        )
        .map_err(throw)?;
        match hold(&self.host, dialogue.map(|id| Output::Text(Some(id))), signal).await? {
            Output::Text(id) => Ok(id.unwrap_or_default()),
            _ => Ok(String::new()),
        }
    }

    /// The next message, or nothing.
    pub async fn dequeue(
        &self,
        activity: &str,
        signal: Option<AbortSignal>,
    ) -> Result<Option<WireMessage>, JsValue> {
        let dialogue = queue::dequeue(&self.service, activity).map_err(throw)?;
        match hold(&self.host, dialogue.map(Output::Message), signal).await? {
            Output::Message(Some(message)) => Ok(Some(WireMessage { host: self.host.clone(), message })),
            _ => Ok(None),
        }
    }
}

#[wasm_bindgen]
impl WireFile {
    /// The bytes [start, end), fewer at the end of the file; all of it where the server hands out nothing less.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub async fn read(
        &self,
        start: f64,
        end: f64,
        signal: Option<AbortSignal>,
    ) -> Result<Uint8Array, JsValue> {
        let dialogue = self.file.borrow().read(start as u64..end as u64);
        let Output::Piece(piece) = hold(&self.host, dialogue.map(Output::Piece), signal).await? else {
            return Ok(Uint8Array::new_with_length(0));
        };
        self.file.borrow_mut().took(&piece);
        Ok(Uint8Array::from(piece.bytes.as_slice()))
    }

    /// Known after the first range, where the server tells it.
    #[wasm_bindgen(getter)]
    #[allow(clippy::cast_precision_loss)]
    pub fn size(&self) -> Option<f64> {
        self.file.borrow().size.map(|size| size as f64)
    }

    /// Known after the first range: it was all of the file.
    #[wasm_bindgen(getter)]
    pub fn whole(&self) -> bool {
        self.file.borrow().whole
    }
}

#[wasm_bindgen]
impl WireMessage {
    /// Its id.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> String {
        self.message.id.clone()
    }

    /// When it was handed out before.
    #[wasm_bindgen(getter, js_name = lastDequeued)]
    pub fn last_dequeued(&self) -> Option<String> {
        self.message.last_dequeued.clone()
    }

    /// Its file.
    pub fn file(&self) -> Result<WireFile, JsValue> {
        let file = self.message.file().map_err(throw)?;
        Ok(WireFile { host: self.host.clone(), file: RefCell::new(file) })
    }

    /// Tells the queue that it was handled.
    pub async fn acknowledge(&self, signal: Option<AbortSignal>) -> Result<(), JsValue> {
        let dialogue = self.message.acknowledge().map(|()| Output::Text(None));
        hold(&self.host, dialogue, signal).await.map(|_| ())
    }
}
