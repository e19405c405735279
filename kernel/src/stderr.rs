//! Collects what a process writes to its standard error.

use crate::core::{Kernel, Shared};
use crate::logs::Lines;
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::control::{LogLine, LogLines};
use butterfly_wire::{EndpointId, codec};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use tokio::net::unix::pipe;

/// The reading end of one process's standard error.
pub struct Collector {
    name: String,
    pipe: pipe::Receiver,
    lines: RefCell<Lines>,
}

impl Collector {
    /// Starts collecting under this name, until the process and all that it might have left behind are gone.
    pub fn start(kernel: &Shared, name: String, pipe: pipe::Receiver) -> Rc<Self> {
        let collector = Rc::new(Self { name, pipe, lines: RefCell::default() });
        let (kernel, task) = (Rc::downgrade(kernel), Rc::clone(&collector));
        tokio::task::spawn_local(async move {
            while task.pipe.readable().await.is_ok() {
                let Some(kernel) = kernel.upgrade() else { return };
                let drained = task.take(&mut kernel.borrow_mut(), |buffer| task.pipe.try_read(buffer));
                if drained == Drained::End {
                    return;
                }
            }
        });
        collector
    }

    /// Takes what is there now, whether or not the reactor has seen it: a crash report needs the last words.
    pub fn drain(&self, kernel: &mut Kernel) {
        self.take(kernel, |buffer| Ok(nix::unistd::read(&self.pipe, buffer)?));
    }

    fn take(&self, kernel: &mut Kernel, read: impl Fn(&mut [u8]) -> io::Result<usize>) -> Drained {
        let mut buffer = [0; 4096];
        loop {
            let lines = match read(&mut buffer) {
                Ok(0) => {
                    let rest: Vec<_> = self.lines.borrow_mut().end().into_iter().collect();
                    kernel.log(&self.name, rest);
                    return Drained::End;
                }
                Ok(read) => self.lines.borrow_mut().take(&buffer[..read]),
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Drained::Empty,
                Err(_) => return Drained::End,
            };
            kernel.log(&self.name, lines);
        }
    }
}

/// How a drain ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Drained {
    Empty,
    End,
}

impl Kernel {
    /// Keeps lines of a process's log, and shows them to whoever follows.
    pub fn log(&mut self, name: &str, lines: Vec<String>) {
        let mut kept = Vec::new();
        for line in lines {
            match self.logs.append(name, &line) {
                Ok(line) => kept.push(line),
                Err(fault) => tracing::error!(%fault, name, "a log line could not be written"),
            }
        }
        self.publish_log(kept);
        self.flush();
    }

    /// Shows lines that are in their file to whoever follows.
    pub fn publish_log(&mut self, lines: Vec<LogLine>) {
        if !lines.is_empty()
            && self.is_followed(topic::LOGS)
            && let Ok(payload) = codec::encode(&LogLines { lines })
        {
            self.publish(EndpointId::KERNEL, control::ID, topic::LOGS, payload);
        }
    }
}
