//! The package doctor across the boundary. The rows of workbooks come from another module, a chunk at a time.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::package::{HAVE, answer, range};
use super::thrown::throw;
use crate::error::{Error, ErrorCode};
use crate::package::{DataPackage, Doctor, Repairer, WorkbookExam};

/// Beside the answers of all readers: the rows of a workbook are wanted.
const WORKBOOK: u8 = 3;

enum Doing {
    Diagnose(Box<Doctor>),
    Repair(Box<Repairer>),
}

/// Everything that is wrong with a package, or the package with what is safe to correct corrected.
#[wasm_bindgen]
pub struct PackageDoctor {
    doing: Doing,
    piece: Vec<u8>,
}

impl PackageDoctor {
    pub(super) fn diagnose(package: &DataPackage) -> Self {
        let mut doctor = package.doctor();
        doctor.workbooks_elsewhere();
        Self { doing: Doing::Diagnose(Box::new(doctor)), piece: Vec::new() }
    }

    pub(super) fn repair(package: &DataPackage) -> Self {
        let mut repairer = package.repair();
        repairer.workbooks_elsewhere();
        Self { doing: Doing::Repair(Box::new(repairer)), piece: Vec::new() }
    }

    fn exam(&mut self) -> Option<WorkbookExam<'_>> {
        match &mut self.doing {
            Doing::Diagnose(doctor) => doctor.workbook(),
            Doing::Repair(repairer) => repairer.workbook(),
        }
    }

    fn wanted(&mut self) -> Result<WorkbookExam<'_>, JsValue> {
        self.exam().ok_or_else(|| throw(Error::argument("no rows of a workbook are wanted now")))
    }
}

#[wasm_bindgen]
impl PackageDoctor {
    /// The range of the package's bytes that is wanted.
    pub fn want(&self) -> Option<Vec<f64>> {
        range(match &self.doing {
            Doing::Diagnose(doctor) => doctor.want(),
            Doing::Repair(repairer) => repairer.want(),
        })
    }

    /// These bytes.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        let given = match &mut self.doing {
            Doing::Diagnose(doctor) => doctor.give(bytes),
            Doing::Repair(repairer) => repairer.give(bytes),
        };
        given.map_err(throw)
    }

    /// Goes on; at the end the result is there.
    pub fn step(&mut self) -> Result<u8, JsValue> {
        let done = match &mut self.doing {
            Doing::Diagnose(doctor) => answer(doctor.step(), |()| ()),
            Doing::Repair(repairer) => answer(repairer.read(), |piece| self.piece = piece),
        }?;
        Ok(if done == HAVE && self.exam().is_some() { WORKBOOK } else { done })
    }

    /// A piece of the corrected package.
    pub fn take(&mut self) -> Uint8Array {
        Uint8Array::from(std::mem::take(&mut self.piece).as_slice())
    }

    /// What was found, or corrected, as JSON.
    pub fn result(&self) -> String {
        let found = match &self.doing {
            Doing::Diagnose(doctor) => doctor.result(),
            Doing::Repair(repairer) => repairer.changes(),
        };
        serde_json::to_string(found).unwrap_or_default()
    }

    /// The sheet of the wanted workbook as the manifest names it.
    pub fn sheet(&mut self) -> Result<String, JsValue> {
        Ok(self.wanted()?.sheet().to_owned())
    }

    /// The wanted workbook, once.
    #[wasm_bindgen(js_name = takeWorkbook)]
    pub fn take_workbook(&mut self) -> Result<Uint8Array, JsValue> {
        Ok(Uint8Array::from(self.wanted()?.take_bytes().as_slice()))
    }

    /// The sheet was opened: whether its rows are wanted.
    #[wasm_bindgen(js_name = beginSheet)]
    pub fn begin_sheet(
        &mut self,
        name: &str,
        header_row: f64,
        columns: Vec<String>,
    ) -> Result<bool, JsValue> {
        Ok(self.wanted()?.begin(name, header_row as u64, &columns))
    }

    /// Whole rows.
    #[wasm_bindgen(js_name = giveRows)]
    pub fn give_rows(&mut self, text: &str, ends: &[u32]) -> Result<(), JsValue> {
        self.wanted()?.rows(text, ends).map_err(throw)
    }

    /// The sheet is at its end: whether it must be read again.
    #[wasm_bindgen(js_name = endSheet)]
    pub fn end_sheet(&mut self) -> Result<bool, JsValue> {
        Ok(self.wanted()?.end())
    }

    /// The workbook can't be read, or nothing that reads it is there.
    #[wasm_bindgen(js_name = refuseWorkbook)]
    pub fn refuse_workbook(
        &mut self,
        code: &str,
        message: &str,
        line: Option<f64>,
        hint: Option<String>,
    ) -> Result<(), JsValue> {
        let code = match code {
            "PACKAGE_LIMIT" => ErrorCode::PackageLimit,
            "WASM_LOAD_FAILED" => ErrorCode::WasmLoadFailed,
            "WASM_BLOCKED" => ErrorCode::WasmBlocked,
            _ => ErrorCode::DataInvalid,
        };
        let mut error = Error::new(code, message);
        if let Some(line) = line {
            error = error.at_line(line as u64);
        }
        if let Some(hint) = hint {
            error = error.hint(hint);
        }
        self.wanted()?.refuse(&error);
        Ok(())
    }
}
