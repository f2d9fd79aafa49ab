//! How many requests of a client are in flight at once: as many as the service bears.

use std::collections::VecDeque;

/// The service's own limit of requests side by side, by user and application; no client goes beyond it.
pub const MOST_IN_FLIGHT: u32 = 52;
/// Where the host says nothing.
pub const DEFAULT_IN_FLIGHT: u32 = 8;

/// Lets requests out in order, no more of them at once than its window, which follows the service: halved when the service says
/// that it is busy (once for all requests that were in flight then), wider by one after each round of good answers, never wider
/// than the host allows and never closed.
#[derive(Debug)]
pub struct Gate {
    limit: u32,
    window: u32,
    in_flight: u32,
    /// Good answers since the window changed.
    good: u32,
    line: VecDeque<u64>,
    tickets: u64,
    /// How often the window was halved.
    halvings: u64,
}

/// A place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// The right to be in flight; given back by [`Gate::finish`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Pass {
    /// Of whom it is.
    pub ticket: Ticket,
    halvings: u64,
}

/// What became of a request that was let out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Passage {
    /// The service answered.
    Answered,
    /// The service is busy (429).
    Throttled,
    /// No answer, or a breakdown: says nothing of what the service bears.
    Lost,
}

impl Passage {
    /// By the status of an answer.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            429 => Self::Throttled,
            500.. => Self::Lost,
            _ => Self::Answered,
        }
    }
}

impl Gate {
    /// At most that many at once, from 1 to [`MOST_IN_FLIGHT`]; other numbers are taken as the nearest of these.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        let limit = limit.clamp(1, MOST_IN_FLIGHT);
        Self { limit, window: limit, in_flight: 0, good: 0, line: VecDeque::new(), tickets: 0, halvings: 0 }
    }

    /// Goes to the end of the line. [`admit`](Self::admit) says whose turn it is.
    pub fn join(&mut self) -> Ticket {
        self.tickets += 1;
        self.line.push_back(self.tickets);
        Ticket(self.tickets)
    }

    /// Lets out the first in line, if there is room. To be asked again until it gives nothing, after each of the other calls.
    pub fn admit(&mut self) -> Option<Pass> {
        if self.in_flight >= self.window {
            return None;
        }
        let ticket = Ticket(self.line.pop_front()?);
        self.in_flight += 1;
        Some(Pass { ticket, halvings: self.halvings })
    }

    /// Leaves the line without having been let out.
    pub fn leave(&mut self, ticket: Ticket) {
        // Tickets are in order.
        if let Ok(place) = self.line.binary_search(&ticket.0) {
            self.line.remove(place);
        }
    }

    /// Is in flight no more.
    pub fn finish(&mut self, pass: Pass, passage: Passage) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match passage {
            Passage::Throttled if pass.halvings == self.halvings => {
                self.window = (self.window / 2).max(1);
                (self.good, self.halvings) = (0, self.halvings + 1);
            }
            Passage::Answered => {
                self.good += 1;
                if self.good >= self.window {
                    self.good = 0;
                    self.window = self.limit.min(self.window + 1);
                }
            }
            Passage::Throttled | Passage::Lost => {}
        }
    }

    /// How many may be in flight now.
    #[must_use]
    pub const fn window(&self) -> u32 {
        self.window
    }

    /// How many are.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn out(gate: &mut Gate) -> Vec<Pass> {
        std::iter::from_fn(|| gate.admit()).collect()
    }

    #[test]
    fn requests_go_out_in_order_and_those_who_left_are_passed_over() {
        let mut gate = Gate::new(2);
        let tickets: Vec<Ticket> = (0..5).map(|_| gate.join()).collect();
        let mut flying = out(&mut gate);
        assert_eq!(flying.iter().map(|pass| pass.ticket).collect::<Vec<_>>(), tickets[..2]);
        gate.leave(tickets[2]);
        gate.leave(tickets[0]);
        gate.finish(flying.remove(0), Passage::Answered);
        let next = out(&mut gate);
        assert_eq!(next.iter().map(|pass| pass.ticket).collect::<Vec<_>>(), [tickets[3]]);
    }

    #[test]
    fn a_wave_of_refusals_halves_once_and_good_answers_widen_again() {
        let mut gate = Gate::new(16);
        for _ in 0..40 {
            gate.join();
        }
        for pass in out(&mut gate) {
            gate.finish(pass, Passage::Throttled);
        }
        assert_eq!(gate.window(), 8);
        let mut second = out(&mut gate);
        assert_eq!(second.len(), 8);
        gate.finish(second.remove(0), Passage::Throttled);
        assert_eq!(gate.window(), 4);
        for pass in second {
            gate.finish(pass, Passage::Answered);
        }
        assert_eq!(gate.window(), 5, "a round of four, and three of the next");
    }

    #[test]
    fn limits_are_those_of_the_service() {
        assert_eq!(Gate::new(0).window(), 1);
        assert_eq!(Gate::new(1_000).window(), 52);
    }

    #[derive(Debug, Clone)]
    enum Act {
        Join,
        Leave(usize),
        Finish(usize, Passage),
    }

    fn act() -> impl Strategy<Value = Act> {
        let passage = prop_oneof![Just(Passage::Answered), Just(Passage::Throttled), Just(Passage::Lost)];
        prop_oneof![
            3 => Just(Act::Join),
            1 => any::<usize>().prop_map(Act::Leave),
            3 => (any::<usize>(), passage).prop_map(|(of, passage)| Act::Finish(of, passage)),
        ]
    }

    proptest! {
        /// Whatever happens: never more in flight than the limit, nobody overtakes, all get out, and the window is whole again
        /// after enough good answers.
        #[test]
        fn nobody_starves_and_nobody_overtakes(limit in 1u32..60, acts in prop::collection::vec(act(), 0..200)) {
            let mut gate = Gate::new(limit);
            let mut waiting: Vec<Ticket> = Vec::new();
            let mut flying: Vec<Pass> = Vec::new();
            let admit = |gate: &mut Gate, waiting: &mut Vec<Ticket>, flying: &mut Vec<Pass>| {
                while let Some(pass) = gate.admit() {
                    assert_eq!(waiting.remove(0), pass.ticket);
                    flying.push(pass);
                    assert!(flying.len() <= gate.window() as usize);
                }
                assert!(waiting.is_empty() || flying.len() >= gate.window() as usize);
                assert_eq!(gate.in_flight() as usize, flying.len());
                assert!((1..=limit.min(52)).contains(&gate.window()));
            };
            for act in acts {
                match act {
                    Act::Join => waiting.push(gate.join()),
                    Act::Leave(of) if !waiting.is_empty() => {
                        let ticket = waiting.remove(of % waiting.len());
                        gate.leave(ticket);
                    }
                    Act::Finish(of, passage) if !flying.is_empty() => {
                        let pass = flying.remove(of % flying.len());
                        gate.finish(pass, passage);
                    }
                    _ => {}
                }
                admit(&mut gate, &mut waiting, &mut flying);
            }
            for _ in 0..10_000 {
                if flying.is_empty() && waiting.is_empty() {
                    if gate.window() == limit.min(52) {
                        return Ok(());
                    }
                    waiting.push(gate.join());
                } else if !flying.is_empty() {
                    let pass = flying.remove(0);
                    gate.finish(pass, Passage::Answered);
                }
                admit(&mut gate, &mut waiting, &mut flying);
            }
            prop_assert!(false, "{gate:?}");
        }
    }
}
