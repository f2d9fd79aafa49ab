//! The line of requests that wait to be sent: who stands in it wakes when the gate lets him out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::http::{Gate, Pass, Passage, Ticket};

/// All who wait.
#[derive(Clone)]
pub(super) struct Line(Rc<RefCell<Inner>>);

struct Inner {
    gate: Gate,
    /// In the order of the tickets; those who left are still here.
    seats: VecDeque<(Ticket, Rc<Seat>)>,
}

#[derive(Default)]
struct Seat {
    pass: RefCell<Option<Pass>>,
    waker: RefCell<Option<Waker>>,
}

/// One who waits, or is in flight. Gives its place back when it is dropped.
pub(super) struct Turn {
    line: Line,
    ticket: Ticket,
    seat: Rc<Seat>,
}

impl Line {
    pub(super) fn new(gate: Gate) -> Self {
        Self(Rc::new(RefCell::new(Inner { gate, seats: VecDeque::new() })))
    }

    pub(super) fn join(&self) -> Turn {
        let seat = Rc::new(Seat::default());
        let ticket = {
            let mut inner = self.0.borrow_mut();
            let ticket = inner.gate.join();
            inner.seats.push_back((ticket, seat.clone()));
            ticket
        };
        self.let_out();
        Turn { line: self.clone(), ticket, seat }
    }

    fn let_out(&self) {
        let mut inner = self.0.borrow_mut();
        while let Some(pass) = inner.gate.admit() {
            while let Some((ticket, seat)) = inner.seats.pop_front() {
                if ticket == pass.ticket {
                    *seat.pass.borrow_mut() = Some(pass);
                    if let Some(waker) = seat.waker.borrow_mut().take() {
                        waker.wake();
                    }
                    break;
                }
            }
        }
    }
}

impl Turn {
    /// Until it is its turn.
    pub(super) async fn come(&self) {
        poll_fn(|context| {
            if self.seat.pass.borrow().is_some() {
                return Poll::Ready(());
            }
            *self.seat.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// The answer is there.
    pub(super) fn over(self, passage: Passage) {
        self.give_back(passage);
    }

    fn give_back(&self, passage: Passage) {
        let pass = self.seat.pass.borrow_mut().take();
        {
            let mut inner = self.line.0.borrow_mut();
            match pass {
                Some(pass) => inner.gate.finish(pass, passage),
                None => inner.gate.leave(self.ticket),
            }
        }
        self.line.let_out();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.give_back(Passage::Lost);
    }
}
