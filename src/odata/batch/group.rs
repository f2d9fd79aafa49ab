//! Which operations stand together, and how many batches they make.

use crate::error::{Error, Result};
use crate::http::Method;
use crate::odata::shape::Shaped;

/// The service takes no more in a change set, nor in a batch.
pub const MOST_OPERATIONS: usize = 5_000;
/// Operations of one batch, unless the caller chooses. What bounds them in practice is the time that the service gives a request:
/// field experience is 100 to 500.
const DEFAULT_SIZE: usize = 100;

/// How a batch is carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchOptions {
    /// All writes in one change set: all of them happen, or none. At most 5,000 operations then. Default: each write is a change set
    /// of its own.
    pub atomic: bool,
    /// Later operations are carried out although one failed. Default: the first failure ends the batch.
    pub continue_on_error: bool,
    /// Operations of one request, 1 to 5,000; default 100. An atomic batch is never split.
    pub size: Option<usize>,
}

/// Operations that stand together in a batch, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Otherwise one read, which may stand in no change set.
    pub(super) change_set: bool,
    pub(super) operations: Vec<usize>,
}

/// The batches, each a list of groups in the order of the operations. Atomic: reads before the first write stand before the one
/// change set, all others behind it.
pub(super) fn batches(operations: &[Shaped], options: BatchOptions) -> Result<Vec<Vec<Group>>> {
    let size = options.size.unwrap_or(DEFAULT_SIZE);
    if size == 0 || size > MOST_OPERATIONS {
        return Err(Error::argument(format!("a batch has 1 to {MOST_OPERATIONS} operations, not {size}")));
    }
    if options.atomic && operations.len() > MOST_OPERATIONS {
        return Err(Error::argument(format!(
            "{} operations can't be atomic: the service takes {MOST_OPERATIONS} at most",
            operations.len()
        ))
        .hint("Import them as a data package, or make groups that may stand alone."));
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut set: Option<usize> = None;
    for (index, operation) in operations.iter().enumerate() {
        let change_set = operation.request.method != Method::Get;
        match set.and_then(|at| groups.get_mut(at)) {
            Some(group) if change_set => group.operations.push(index),
            _ => {
                if change_set && options.atomic {
                    set = Some(groups.len());
                }
                groups.push(Group { change_set, operations: vec![index] });
            }
        }
    }
    if options.atomic {
        return Ok(if groups.is_empty() { Vec::new() } else { vec![groups] });
    }
    Ok(groups.chunks(size).map(<[Group]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::service::Service;
    use crate::odata::shape::{OperationSpec, Shaped};

    fn shaped(letters: &str) -> Vec<Shaped> {
        let service = Service::new("https://c.example", None).unwrap();
        let one = |letter| match letter {
            'r' => r#"{"op":"get","entity":"Currencies"}"#,
            _ => r#"{"op":"create","entity":"Currencies","value":{"CurrencyCode":"EUR"}}"#,
        };
        letters
            .chars()
            .map(|letter| {
                serde_json::from_str::<OperationSpec>(one(letter)).unwrap().shape(&service).unwrap()
            })
            .collect()
    }
    fn of(letters: &str, options: BatchOptions) -> Vec<Vec<(bool, Vec<usize>)>> {
        let all = batches(&shaped(letters), options).unwrap();
        all.into_iter()
            .map(|groups| groups.into_iter().map(|group| (group.change_set, group.operations)).collect())
            .collect()
    }

    #[test]
    fn writes_stand_alone_or_all_together_and_reads_outside() {
        let alone = of("rww", BatchOptions::default());
        assert_eq!(alone, [vec![(false, vec![0]), (true, vec![1]), (true, vec![2])]]);
        let atomic = of("rwrw", BatchOptions { atomic: true, ..BatchOptions::default() });
        assert_eq!(atomic, [vec![(false, vec![0]), (true, vec![1, 3]), (false, vec![2])]]);
        assert!(of("", BatchOptions::default()).is_empty());
    }

    #[test]
    fn batches_are_split_by_size_and_atomic_ones_never() {
        let options = BatchOptions { size: Some(2), ..BatchOptions::default() };
        let split = of("wwwww", options);
        assert_eq!(split.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(of(&"w".repeat(101), BatchOptions::default()).len(), 2);
        assert_eq!(of("wwwww", BatchOptions { atomic: true, ..options }).len(), 1);
        for size in [0, 5_001] {
            assert!(batches(&[], BatchOptions { size: Some(size), ..options }).is_err());
        }
    }

    #[test]
    fn what_the_service_would_refuse_as_too_much_is_not_sent() {
        let one = shaped("w").remove(0);
        let atomic = BatchOptions { atomic: true, ..BatchOptions::default() };
        assert!(batches(&vec![one.clone(); 5_000], atomic).is_ok());
        let error = batches(&vec![one; 5_001], atomic).unwrap_err();
        assert!(error.message.contains("5001"), "{error}");
    }
}
