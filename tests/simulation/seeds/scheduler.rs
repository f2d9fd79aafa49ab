//! Carries out the steps of several workers in an order that the seed decides, and looks whether anything was lost.

use std::time::Duration;

use d365_clm::dmf::{Checkpoint, ExecutionStatus, Export, ExportOptions, Import, ImportOptions, RunOutcome};
use d365_clm::http::{
    Input, Machine, Patience, Request, Response, Step, Timestamp, TransportError, TransportKind,
};
use d365_clm::odata::Service;
use d365_clm::{Error, ErrorCode};

use super::life::Life;
use super::random::Random;
use super::tally::{PLACES, Tally};
use crate::world::{SECRETS, START, World};

/// Steps of one life; more are a conversation without end.
const STEPS: u32 = 6_000;
/// No single pause is longer than this, but for a clock that was put back.
const PAUSE: u64 = 30 * 60_000;
/// How often a host takes a job up again.
const RESUMES: u32 = 80;

pub(super) struct Scheduler {
    world: World,
    random: Random,
    life: Life,
    /// Time that really passed.
    real: u64,
    /// What the clock of the workers shows beside it.
    skew: i64,
    jumped: bool,
    back: u64,
    jobs: Vec<Job>,
    workers: Vec<Worker>,
    flights: Vec<Flight>,
    born: u64,
    steps: u32,
    requests: u64,
    revoked: bool,
    told: bool,
}

struct Job {
    id: &'static str,
    imports: bool,
    disk: Option<(String, u64)>,
    versions: u64,
    resume_at: Option<u64>,
    resumes: u32,
    over: bool,
}

struct Worker {
    number: u64,
    job: usize,
    machine: Conversation,
    version: Option<u64>,
    state: At,
}

enum At {
    Ready,
    Until(u64),
    Flying,
    Dead,
}

enum Conversation {
    Import(Box<Import>),
    Export(Box<Export>),
}

/// What a job ended with.
enum Result_ {
    Run(RunOutcome),
    Package(Vec<u8>),
}

/// A request on its way.
struct Flight {
    worker: u64,
    request: Option<Request>,
    process_at: Option<u64>,
    deliver_at: u64,
    twist: Twist,
    answer: Option<Input>,
}

enum Twist {
    None,
    Truncate,
    Instead(Response),
    Lost(TransportKind),
}

impl Scheduler {
    pub(super) fn new(seed: u64, told: bool) -> Self {
        let mut random = Random::new(seed);
        let mut world = World::new();
        let life = Life::of(&mut random, &mut world, crate::export::package_bytes());
        if told {
            println!("{life:#?}");
        }
        let job = |id, imports| Job {
            id,
            imports,
            disk: None,
            versions: 0,
            resume_at: Some(0),
            resumes: 0,
            over: false,
        };
        let mut jobs = vec![job("CLM-A-1", life.imports)];
        if life.company {
            jobs.push(job("CLM-B-2", random.chance(500)));
        }
        Self {
            world,
            random,
            life,
            real: START.as_millis(),
            skew: 0,
            jumped: false,
            back: 0,
            jobs,
            workers: Vec::new(),
            flights: Vec::new(),
            born: 0,
            steps: 0,
            requests: 0,
            revoked: false,
            told,
        }
    }

    pub(super) fn run(&mut self, tally: &mut Tally) -> Result<(), String> {
        *tally.modes.entry(format!("{:?}", self.world.repeated)).or_default() += 1;
        loop {
            self.resume_those_due(tally)?;
            let ready: Vec<usize> = (self.workers.iter().enumerate())
                .filter(|(_, worker)| matches!(worker.state, At::Ready))
                .map(|(index, _)| index)
                .collect();
            if !ready.is_empty() {
                let index = self.random.pick(&ready);
                self.turn(index, tally)?;
                self.workers.retain(|worker| !matches!(worker.state, At::Dead));
                continue;
            }
            let Some(next) = self.next_time() else { break };
            self.real = self.real.max(next);
            self.world.now = Timestamp::from_millis(self.real);
            self.carry(tally)?;
            for worker in &mut self.workers {
                if matches!(worker.state, At::Until(at) if at <= self.real) {
                    worker.state = At::Ready;
                }
            }
        }
        tally.steps.push(self.steps);
        for _ in 0..self.world.expired.min(5) {
            tally.fault("SAS expired");
        }
        match self.jobs.iter().find(|job| !job.over) {
            Some(job) => Err(format!("{} never came to an end", job.id)),
            None => Ok(()),
        }
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.told {
            println!("{:>9} ms  {}", self.real - START.as_millis(), text());
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.real.saturating_add_signed(self.skew))
    }

    fn next_time(&self) -> Option<u64> {
        let flights = self.flights.iter().map(|flight| flight.process_at.unwrap_or(flight.deliver_at));
        let pauses = self.workers.iter().filter_map(|worker| match worker.state {
            At::Until(at) => Some(at),
            _ => None,
        });
        let resumes = self.jobs.iter().filter_map(|job| job.resume_at);
        flights.chain(pauses).chain(resumes).min()
    }

    // ── Workers ──

    fn resume_those_due(&mut self, tally: &mut Tally) -> Result<(), String> {
        for index in 0..self.jobs.len() {
            if self.jobs[index].resume_at.is_some_and(|at| at <= self.real) {
                self.jobs[index].resume_at = None;
                self.jobs[index].resumes += 1;
                if self.jobs[index].resumes > RESUMES {
                    return Err(format!("{} was taken up {RESUMES} times in vain", self.jobs[index].id));
                }
                self.begin(index, tally)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, index: usize, _: &mut Tally) -> Result<(), String> {
        let mut service = World::service();
        service.patience = Patience::new(self.random.next());
        let job = &self.jobs[index];
        let version = job.disk.as_ref().map(|(_, version)| *version);
        let saved = match &job.disk {
            Some((state, _)) => {
                Some(Checkpoint::parse(&service, state).map_err(|e| format!("the checkpoint: {e}"))?)
            }
            None => None,
        };
        let text = format!(r#"{{"project":"CLM","executionId":"{}"}}"#, job.id);
        let machine = match job.imports {
            true => Conversation::Import(Box::new(self.import(&service, &text, saved)?)),
            false => {
                let options: ExportOptions = serde_json::from_str(&text).unwrap();
                let export = match saved {
                    Some(checkpoint) => Export::resume(&service, checkpoint, options),
                    None => Export::new(&service, options),
                };
                Conversation::Export(Box::new(export.map_err(|e| e.to_string())?))
            }
        };
        self.born += 1;
        self.say(|| format!("worker {} takes up {} at {version:?}", self.born, self.jobs[index].id));
        self.workers.push(Worker { number: self.born, job: index, machine, version, state: At::Ready });
        Ok(())
    }

    fn import(&self, service: &Service, text: &str, saved: Option<Checkpoint>) -> Result<Import, String> {
        let mut options: ImportOptions = serde_json::from_str(text).unwrap();
        options.block = self.life.block;
        let import = match saved {
            Some(checkpoint) => Import::resume(service, checkpoint, options, true),
            None => Import::new(service, options, None),
        };
        import.map_err(|e| e.to_string())
    }

    fn kill(&mut self, index: usize, tally: &mut Tally, place: &str) {
        *tally.kills.entry(place.to_owned()).or_default() += 1;
        self.say(|| format!("worker {} dies at {place}", self.workers[index].number));
        self.leave(index);
    }

    /// The worker is gone; somebody takes the job up again unless another one is at it.
    fn leave(&mut self, index: usize) {
        self.workers[index].state = At::Dead;
        let job = self.workers[index].job;
        let others = self.workers.iter().any(|worker| worker.job == job && !matches!(worker.state, At::Dead));
        if !others && !self.jobs[job].over {
            let sleep = self.random.below(self.life.sleep);
            self.jobs[job].resume_at = Some(self.real + sleep);
        }
    }

    fn dies(&mut self, place: &str) -> bool {
        let mut dies = false;
        self.life.deaths.retain_mut(|death| {
            if dies || death.place.is_some_and(|there| there != place) {
                return true;
            }
            death.visit -= 1;
            dies = death.visit == 0;
            !dies
        });
        dies
    }

    // ── Steps ──

    fn turn(&mut self, index: usize, tally: &mut Tally) -> Result<(), String> {
        self.steps += 1;
        if self.steps > STEPS {
            return Err("the conversation has no end".to_owned());
        }
        self.disturb(tally, index)?;
        let now = self.now();
        let step = self.workers[index].machine.next(now);
        let place = self.workers[index].machine.place();
        reach(tally, &place);
        let dies = self.dies(&place);
        if dies && self.random.chance(500) {
            self.kill(index, tally, &place);
            return Ok(());
        }
        let input = match step {
            Step::Done(result) => return self.done(index, result, tally),
            Step::Failed(error) => return self.failed(index, &error, tally),
            Step::Emit(event) => {
                keeps_secrets("an event", &format!("{event:?}"))?;
                None
            }
            Step::Wait(until) => {
                let pause = until.since(now).as_millis();
                let pause = u64::try_from(pause).unwrap();
                if pause == 0 {
                    return Err("a pause that is over already".to_owned());
                }
                if pause > PAUSE + self.back {
                    return Err(format!("a pause of {} s", pause / 1_000));
                }
                self.workers[index].state = At::Until(self.real + pause);
                None
            }
            Step::Token(_) => {
                let expires = Some(now.plus(Duration::from_secs(self.random.between(400, 5_400))));
                Some(Input::TokenRenewed { expires })
            }
            Step::Read(range) => Some(Input::Bytes(self.world.read(range))),
            Step::Save(save) => Some(self.save(index, save.state, tally)?),
            Step::Load(key) => Some(match self.disk_fails(tally) {
                Some(error) => Input::StoreFailed(error),
                None => Input::Loaded(self.world.store.get(&key).cloned()),
            }),
            Step::Store(store) => {
                keeps_secrets("the store", &store.value)?;
                Some(match self.disk_fails(tally) {
                    Some(error) => Input::StoreFailed(error),
                    None => self.world.keep(store),
                })
            }
            Step::Send(request) => {
                self.send(index, request, tally)?;
                None
            }
            Step::SendAll(requests) => {
                self.send_all(index, &requests, tally)?;
                None
            }
            _ => return Err("an unknown step".to_owned()),
        };
        if dies {
            self.kill(index, tally, &place);
            return Ok(());
        }
        if let Some(input) = input {
            self.workers[index].machine.handle(input, now);
            let place = self.workers[index].machine.place();
            if place.ends_with(": marked") {
                reach(tally, &place);
                if self.dies(&place) {
                    self.kill(index, tally, &place);
                }
            }
        }
        Ok(())
    }

    fn disturb(&mut self, tally: &mut Tally, index: usize) -> Result<(), String> {
        if let Some((step, jump)) = self.life.jump
            && u64::from(self.steps) == step
        {
            tally.fault("clock jump");
            self.say(|| format!("the clock jumps by {jump} ms"));
            self.skew += jump;
            self.jumped = true;
            self.back += u64::try_from(-jump).unwrap_or_default();
        }
        if self.life.second == Some(u64::from(self.steps)) {
            let job = self.workers[index].job;
            if self.jobs[job].disk.is_some() && !self.jobs[job].over {
                tally.fault("second worker");
                self.begin(job, tally)?;
            }
        }
        Ok(())
    }

    fn save(&mut self, index: usize, state: String, tally: &mut Tally) -> Result<Input, String> {
        keeps_secrets("a checkpoint", &state)?;
        if let Some(error) = self.disk_fails(tally) {
            return Ok(Input::SaveRefused(error));
        }
        let worker = &mut self.workers[index];
        let job = &mut self.jobs[worker.job];
        if job.disk.as_ref().map(|(_, version)| *version) != worker.version {
            let error = Error::new(ErrorCode::CheckpointConflict, "another worker was first");
            return Ok(Input::SaveRefused(Box::new(error)));
        }
        job.versions += 1;
        worker.version = Some(job.versions);
        job.disk = Some((state, job.versions));
        Ok(Input::Saved)
    }

    fn disk_fails(&mut self, tally: &mut Tally) -> Option<Box<Error>> {
        if self.life.faults == 0 || !self.random.chance(self.life.permille / 4) {
            return None;
        }
        self.life.faults -= 1;
        tally.fault("checkpoint refused");
        Some(Box::new(Error::new(ErrorCode::Network, "the disk is full")))
    }

    // ── Requests ──

    fn send(&mut self, index: usize, request: Request, tally: &mut Tally) -> Result<(), String> {
        let submits = is_submission(&request);
        let meanwhile = |flight: &Flight| flight.request.as_ref().is_some_and(is_submission) && !self.jumped;
        if submits && self.flights.iter().any(meanwhile) {
            return Err("two submissions are under way at the same time".to_owned());
        }
        let worker = &mut self.workers[index];
        worker.state = At::Flying;
        let number = worker.number;
        self.say(|| format!("worker {number}: {} {}", request.method.as_str(), name_of(&request)));
        let (processed, twist, latency) = self.fate(&request, tally)?;
        let process_at = processed.then(|| self.real + self.random.between(1, latency.min(200_000)));
        self.flights.push(Flight {
            worker: number,
            request: Some(request),
            process_at,
            deliver_at: self.real + latency,
            twist,
            answer: None,
        });
        Ok(())
    }

    fn send_all(&mut self, index: usize, requests: &[Request], tally: &mut Tally) -> Result<(), String> {
        let mut answers = Vec::new();
        let mut longest = 0;
        for request in requests {
            let (processed, twist, latency) = self.fate(request, tally)?;
            let answer = processed.then(|| self.world.carry_out(request));
            answers.push(twisted(answer, twist));
            longest = longest.max(latency);
        }
        let worker = &mut self.workers[index];
        worker.state = At::Flying;
        self.flights.push(Flight {
            worker: worker.number,
            request: None,
            process_at: None,
            deliver_at: self.real + longest,
            twist: Twist::None,
            answer: Some(Input::Answers(answers)),
        });
        Ok(())
    }

    /// Whether it is processed, what becomes of its answer, and how long all of it takes.
    fn fate(&mut self, request: &Request, tally: &mut Tally) -> Result<(bool, Twist, u64), String> {
        let storage = request.url.contains("blob.core.windows.net");
        if request.bearer == storage {
            return Err(format!("the token goes to the environment alone: {}", name_of(request)));
        }
        self.requests += 1;
        let quick = self.random.between(20, 300);
        if self.life.revoked.is_some_and(|from| self.requests >= from) {
            self.life.revoked = None;
            self.revoked = true;
        }
        if self.revoked && request.bearer {
            return Ok((false, Twist::Instead(Response::new(401, "")), quick));
        }
        if self.life.lost && is_submission(request) {
            self.life.lost = false;
            tally.fault("lost after");
            return Ok((true, Twist::Lost(TransportKind::NoAnswer), quick));
        }
        if self.life.faults == 0 || !self.random.chance(self.life.permille) {
            return Ok((true, Twist::None, quick));
        }
        self.life.faults -= 1;
        let timeout = u64::try_from(request.timeout.as_millis()).unwrap();
        let status = |status| Twist::Instead(Response::new(status, ""));
        let words = format!(
            r#"{{"error":{{"code":"","message":"failed for Bearer {} at https://a.blob.core.windows.net/x?sig=SIGNATURE"}}}}"#,
            SECRETS[1]
        );
        let gateway = |status| Twist::Instead(Response::new(status, words.clone()));
        let (name, fate) = match self.random.below(18) {
            0 => ("lost before", (false, Twist::Lost(TransportKind::NoAnswer), quick)),
            1 | 2 => ("lost after", (true, Twist::Lost(TransportKind::NoAnswer), quick)),
            3 => ("not sent", (false, Twist::Lost(TransportKind::NotSent), quick)),
            4 if request.bearer => ("401", (false, status(401), quick)),
            5 if request.bearer => ("sign-in redirect", (false, status(302), quick)),
            6 if request.bearer => {
                let seconds = self.random.between(1, 120).to_string();
                let busy = Response::new(429, "").with_header("Retry-After", &seconds);
                ("429 with Retry-After", (false, Twist::Instead(busy), quick))
            }
            7 if request.bearer => ("429 without", (false, status(429), quick)),
            8 => ("500 before", (false, gateway(500), quick)),
            9 => ("500 after", (true, gateway(500), quick)),
            10 => ("502", (self.random.chance(500), gateway(502), quick)),
            11 => ("503", (false, gateway(503), quick)),
            12 => ("504 before", (false, gateway(504), quick)),
            13 => ("504 after", (true, gateway(504), quick)),
            14 => ("slow", (true, Twist::None, self.random.between(5_000, timeout - 1_000))),
            15 => ("too slow", (true, Twist::Lost(TransportKind::Timeout), timeout)),
            16 => ("truncated body", (true, Twist::Truncate, quick)),
            _ if request.url.ends_with("GetExecutionSummaryStatus") => match self.random.chance(500) {
                true => {
                    self.world.again = true;
                    ("duplicate status", (true, Twist::None, quick))
                }
                false => {
                    self.world.lag = self.random.between(1_000, 60_000);
                    ("reordered status", (true, Twist::None, quick))
                }
            },
            _ => ("lost after", (true, Twist::Lost(TransportKind::NoAnswer), quick)),
        };
        tally.fault(name);
        self.say(|| format!("  fault: {name}"));
        Ok(fate)
    }

    /// What is due of the requests on their way.
    fn carry(&mut self, tally: &mut Tally) -> Result<(), String> {
        for flight in &mut self.flights {
            if flight.process_at.is_some_and(|at| at <= self.real) {
                flight.process_at = None;
                let answer = self.world.carry_out(flight.request.as_ref().unwrap());
                let twist = std::mem::replace(&mut flight.twist, Twist::None);
                flight.answer = Some(twisted(Some(answer), twist));
            }
        }
        for job in &self.jobs {
            let runs = self.world.submissions(job.id);
            if runs > 1 {
                return Err(format!("{} was submitted {runs} times", job.id));
            }
        }
        let now = self.now();
        while let Some(at) = self
            .flights
            .iter()
            .position(|flight| flight.process_at.is_none() && flight.deliver_at <= self.real)
        {
            let flight = self.flights.swap_remove(at);
            let answer = flight.answer.unwrap_or_else(|| twisted(None, flight.twist));
            let Some(worker) = self.workers.iter_mut().find(|worker| worker.number == flight.worker) else {
                continue;
            };
            worker.machine.handle(answer, now);
            worker.state = At::Ready;
            let place = worker.machine.place();
            reach(tally, &place);
        }
        Ok(())
    }

    // ── Ends ──

    fn done(&mut self, index: usize, result: Result_, tally: &mut Tally) -> Result<(), String> {
        let job = self.workers[index].job;
        let id = self.jobs[job].id;
        self.say(|| format!("{id} ends well"));
        if self.world.submissions(id) != 1 {
            return Err(format!("{id} ended well without a run"));
        }
        match result {
            Result_::Run(outcome) => {
                keeps_secrets("a result", &format!("{outcome:?}"))?;
                let right = match outcome.status {
                    ExecutionStatus::Succeeded => self.world.end == "Succeeded",
                    ExecutionStatus::PartiallySucceeded => self.world.end == "PartiallySucceeded",
                    _ => false,
                };
                if !right {
                    return Err(format!("{id}: {:?} of a run that is {}", outcome.status, self.world.end));
                }
            }
            Result_::Package(bytes) if bytes != self.world.package => {
                return Err(format!("{id}: the package is not the one that was made"));
            }
            Result_::Package(_) => {}
        }
        *tally.endings.entry("Done".to_owned()).or_default() += 1;
        self.jobs[job].over = true;
        self.leave(index);
        Ok(())
    }

    fn failed(&mut self, index: usize, error: &Error, tally: &mut Tally) -> Result<(), String> {
        use ErrorCode as Code;
        keeps_secrets("an error", &format!("{error:?} {error}"))?;
        let job = self.workers[index].job;
        let id = self.jobs[job].id;
        self.say(|| format!("worker {} fails: {:?} {error}", self.workers[index].number, error.code));
        let submitted = self.world.submissions(id);
        let over = match error.code {
            Code::JobFailed if self.world.end == "Failed" && submitted == 1 => true,
            Code::OutcomeUnknown => {
                let excused = self.jumped || self.world.purged_after.is_some();
                if submitted > 0 && !excused {
                    return Err(format!("the run {id} is there and was not found"));
                }
                true
            }
            Code::Network
            | Code::CorsOrNetwork
            | Code::Timeout
            | Code::Throttled
            | Code::ServiceError
            | Code::AuthRejected
            | Code::CheckpointConflict
            | Code::Forbidden => false,
            Code::Conflict | Code::JobStalled if self.jumped => false,
            _ => return Err(format!("{id} failed with {:?}: {error}", error.code)),
        };
        *tally.endings.entry(format!("{:?}", error.code)).or_default() += 1;
        if error.code == Code::AuthRejected {
            self.revoked = false;
        }
        self.jobs[job].over |= over;
        self.leave(index);
        Ok(())
    }
}

impl Conversation {
    fn next(&mut self, now: Timestamp) -> Step<Result_> {
        match self {
            Self::Import(job) => map(job.next(now), Result_::Run),
            Self::Export(job) => map(job.next(now), |exported| Result_::Package(exported.bytes)),
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        match self {
            Self::Import(job) => job.handle(input, now),
            Self::Export(job) => job.handle(input, now),
        }
    }

    fn place(&self) -> std::borrow::Cow<'static, str> {
        let (kind, place) = match self {
            Self::Import(job) => ("import", job.place()),
            Self::Export(job) => ("export", job.place()),
        };
        let known = PLACES.iter().find(|known| {
            known.len() == kind.len() + 2 + place.len() && known.starts_with(kind) && known.ends_with(place)
        });
        known.map_or_else(|| format!("{kind}: {place}").into(), |known| (*known).into())
    }
}

fn map<T, U>(step: Step<T>, of: impl FnOnce(T) -> U) -> Step<U> {
    match step {
        Step::Send(request) => Step::Send(request),
        Step::Token(reason) => Step::Token(reason),
        Step::SendAll(requests) => Step::SendAll(requests),
        Step::Save(save) => Step::Save(save),
        Step::Load(key) => Step::Load(key),
        Step::Store(store) => Step::Store(store),
        Step::Read(range) => Step::Read(range),
        Step::Wait(until) => Step::Wait(until),
        Step::Emit(event) => Step::Emit(event),
        Step::Done(output) => Step::Done(of(output)),
        Step::Failed(error) => Step::Failed(error),
        _ => panic!("an unknown step"),
    }
}

fn reach(tally: &mut Tally, place: &str) {
    match tally.reached.get_mut(place) {
        Some(count) => *count += 1,
        None => {
            tally.reached.insert(place.to_owned(), 1);
        }
    }
}

fn twisted(answer: Option<Response>, twist: Twist) -> Input {
    match (twist, answer) {
        (Twist::Lost(kind), _) => Input::TransportError(TransportError::new(
            kind,
            "reset by https://a.blob.core.windows.net/x?sig=SIGNATURE",
        )),
        (Twist::Instead(response), _) => Input::Response(response),
        (Twist::Truncate, Some(mut response)) => {
            response.body.truncate(response.body.len() / 2);
            Input::Response(response)
        }
        (Twist::None, Some(response)) => Input::Response(response),
        (Twist::None | Twist::Truncate, None) => unreachable!("an answer that nobody gave"),
    }
}

fn is_submission(request: &Request) -> bool {
    request.url.ends_with("ImportFromPackage") || request.url.ends_with("ExportToPackage")
}

fn name_of(request: &Request) -> &str {
    let path = request.url.split('?').next().unwrap();
    path.rsplit(['/', '.']).next().unwrap()
}

fn keeps_secrets(what: &str, text: &str) -> Result<(), String> {
    match SECRETS.iter().any(|secret| text.contains(secret)) {
        true => Err(format!("{what} holds a secret: {text}")),
        false => Ok(()),
    }
}
