//! A queue of a recurring job, drained by a process that dies at every step: nothing is lost, and what comes twice says so.

use std::collections::BTreeMap;
use std::time::Duration;

use d365_clm::Error;
use d365_clm::dmf::queue;
use d365_clm::http::{Input, Machine, Request, Response, Step, Timestamp, TransportError, TransportKind};
use d365_clm::odata::Service;
use serde_json::{Value, json};

const ACTIVITY: &str = "0e5c1a5d-7f5c-4a52-9a0e-0c5b2f3a7d11";
const HIDDEN: Duration = Duration::from_secs(30 * 60);

struct Waiting {
    id: String,
    taken: Option<Timestamp>,
    receipt: u32,
}

/// The queue in the service, and what the host has durably handled.
struct Queue {
    now: Timestamp,
    waiting: Vec<Waiting>,
    handled: BTreeMap<String, u32>,
    /// Ids of messages that came with the time of their last handing out.
    marked: Vec<String>,
    /// Requests whose answers are lost after they were carried out.
    losses: Vec<usize>,
    asked: usize,
    steps: usize,
    kill_at: Option<usize>,
}

/// The process has died, or the conversation has failed.
#[derive(Debug)]
enum Stop {
    Killed,
    Failed(Error),
}

impl Queue {
    fn new(messages: usize) -> Self {
        let waiting = |index| Waiting { id: format!("m{index}"), taken: None, receipt: 0 };
        Self {
            now: Timestamp::from_millis(1_772_446_507_000),
            waiting: (0..messages).map(waiting).collect(),
            handled: BTreeMap::new(),
            marked: Vec::new(),
            losses: Vec::new(),
            asked: 0,
            steps: 0,
            kill_at: None,
        }
    }

    fn step(&mut self) -> Result<(), Stop> {
        let dies = self.kill_at == Some(self.steps);
        self.steps += 1;
        if dies { Err(Stop::Killed) } else { Ok(()) }
    }

    fn hold<T: 'static>(&mut self, mut machine: impl Machine<Output = T>) -> Result<T, Stop> {
        loop {
            self.step()?;
            match machine.next(self.now) {
                Step::Send(request) => {
                    let answer = self.answer(&request);
                    // The service has acted, and the process never hears of it.
                    self.step()?;
                    machine.handle(answer, self.now);
                }
                Step::Token(_) => machine.handle(Input::TokenRenewed { expires: None }, self.now),
                Step::Wait(until) => self.now = until,
                Step::Emit(_) => {}
                Step::Done(output) => return Ok(output),
                Step::Failed(error) => return Err(Stop::Failed(*error)),
                _ => panic!("a queue needs neither checkpoint nor source"),
            }
        }
    }

    /// What a host does; the handler is durable when it returns.
    fn drain(&mut self) -> Result<u32, Stop> {
        let service = Service::new("https://contoso.operations.dynamics.com", None).unwrap();
        let mut count = 0;
        while let Some(message) = self.hold(queue::dequeue(&service, ACTIVITY).unwrap())? {
            let piece = self.hold(message.file().unwrap().read(0..100))?;
            assert_eq!(piece.bytes, format!("file of {}", message.id).as_bytes());
            if message.last_dequeued.is_some() {
                self.marked.push(message.id.clone());
            }
            self.step()?;
            *self.handled.entry(message.id.clone()).or_default() += 1;
            self.step()?;
            self.hold(message.acknowledge())?;
            count += 1;
        }
        Ok(count)
    }

    fn answer(&mut self, request: &Request) -> Input {
        assert!(request.bearer, "everything of the environment itself needs the token");
        self.now = self.now.plus(Duration::from_millis(80));
        let lost = self.losses.contains(&self.asked);
        self.asked += 1;
        let response = self.carry_out(request);
        if lost {
            Input::TransportError(TransportError::new(TransportKind::NoAnswer, "reset"))
        } else {
            Input::Response(response)
        }
    }

    fn carry_out(&mut self, request: &Request) -> Response {
        let now = self.now;
        if request.url.contains("/dequeue/") {
            let free = |message: &&mut Waiting| message.taken.is_none_or(|taken| now.since(taken) >= HIDDEN);
            let Some(message) = self.waiting.iter_mut().find(free) else { return Response::new(204, "") };
            let before = message.taken.map(|_| "2026-03-02T10:15:07Z");
            message.taken = Some(now);
            message.receipt += 1;
            let body = json!({ "CorrelationId": message.id, "PopReceipt": message.receipt.to_string(),
                "DownloadLocation": format!("http://contoso.operations.dynamics.com/api/connector/download/{ACTIVITY}?id={}", message.id),
                "LastDequeueDateTime": before });
            return Response::new(200, body.to_string());
        }
        if let Some((_, id)) = request.url.split_once("?id=") {
            assert!(request.url.starts_with("https://"));
            return Response::new(200, format!("file of {id}"));
        }
        assert!(request.url.contains("/ack/"), "{}", request.url);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let id = body["CorrelationId"].as_str().unwrap();
        assert!(self.handled.contains_key(id), "acknowledged before it was handled");
        let before = self.waiting.len();
        self.waiting.retain(|message| {
            message.id != id || body["PopReceipt"].as_str() != Some(message.receipt.to_string().as_str())
        });
        Response::new(if self.waiting.len() < before { 200 } else { 404 }, "")
    }
}

#[test]
fn a_queue_is_drained_to_its_end() {
    let mut queue = Queue::new(3);
    assert_eq!(queue.drain().unwrap(), 3);
    assert_eq!(queue.handled.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(queue.drain().unwrap(), 0);
}

#[test]
fn whenever_the_process_dies_nothing_is_lost_and_at_most_one_comes_twice() {
    let (mut deaths, mut twice) = (0, 0);
    for kill_at in 0..60 {
        let mut queue = Queue::new(3);
        queue.kill_at = Some(kill_at);
        match queue.drain() {
            Ok(count) => assert_eq!(count, 3),
            Err(Stop::Failed(error)) => panic!("{error:?}"),
            Err(Stop::Killed) => {
                deaths += 1;
                queue.drain().unwrap();
                queue.now = queue.now.plus(HIDDEN);
                queue.drain().unwrap();
            }
        }
        assert!(queue.waiting.is_empty(), "killed at {kill_at}: something is still in the queue");
        assert_eq!(queue.handled.len(), 3, "killed at {kill_at}: something was lost");
        let again: Vec<&String> =
            queue.handled.iter().filter(|(_, times)| **times > 1).map(|(id, _)| id).collect();
        assert!(again.len() <= 1, "killed at {kill_at}");
        for id in again {
            twice += 1;
            assert!(queue.marked.contains(id), "{id} came again and did not say so");
        }
    }
    assert!(deaths > 20 && twice > 2, "{deaths} deaths, {twice} messages twice");
}

#[test]
fn lost_answers_lose_no_message() {
    for at in 0..9 {
        let mut queue = Queue::new(2);
        queue.losses = vec![at];
        queue.drain().unwrap();
        queue.now = queue.now.plus(HIDDEN);
        queue.drain().unwrap();
        assert!(queue.waiting.is_empty(), "lost answer {at}");
        assert_eq!(queue.handled.values().copied().collect::<Vec<_>>(), [1, 1], "lost answer {at}");
    }
}
