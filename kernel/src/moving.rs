//! Moving the data folder, as the kernel goes about it: who may ask, who is stopped meanwhile, who hears how it ended.
//!
//! Whoever asks is stopped for it, so the answer comes before the move: that the destination is fit. How it ended is in the log, and a
//! failure in the status's warnings. The copying waits for disks, so it has a thread of its own, which is given paths and returns a
//! result ([`crate::data_folder`]); processes are started and ended here, on the kernel's thread, as ever.

use crate::core::Kernel;
use crate::data_folder::{Moved, Plan};
use crate::manifest::{PathRule, RoleKind};
use crate::supervisor::{Event, State};
use butterfly_wire::catalog::config;
use butterfly_wire::control::MoveData;
use butterfly_wire::{EndpointId, ErrorCode, Failure, Header};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// A move, from the answer to its end.
pub struct Moving {
    /// The worker that has the folder.
    index: usize,
    stage: MoveStage,
    stop: Arc<AtomicBool>,
}

/// How far a move has come.
enum MoveStage {
    /// Its destination is being judged.
    Judging,
    /// The worker is being stopped.
    Stopping(Plan),
    Copying,
}

impl Moving {
    /// Ends it between two files.
    pub fn give_up(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Runs what waits for disks on a thread of its own, and does the rest when it is done. No process is started there.
fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    let thread = std::thread::Builder::new().name("data-folder".to_owned());
    let started = thread.spawn(move || {
        // Whoever asked is gone only when the kernel ends.
        let _ = sender.send(work());
    });
    if let Err(fault) = started {
        tracing::error!(%fault, "a thread could not be started");
    }
    receiver
}

impl Kernel {
    /// Begins a move. The call is answered once the destination is judged: whoever asks is stopped for it.
    pub fn move_data(&mut self, from: EndpointId, header: &Header, request: MoveData) {
        let correlation = header.correlation;
        let index = match self.may_move(from, header) {
            Ok(index) => index,
            Err(failure) => return self.reply::<()>(from, correlation, Err(failure)),
        };
        let Some(shared) = self.me.upgrade() else { return };
        self.moving = Some(Moving { index, stage: MoveStage::Judging, stop: Arc::default() });
        let place = self.place.clone();
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let judged = elsewhere(move || Plan::new(&place, &request.to, home.as_deref()));
        tokio::task::spawn_local(async move {
            let judged = judged.await;
            let mut kernel = shared.borrow_mut();
            match judged {
                Ok(Ok(Some(plan))) if !kernel.shutting_down => {
                    tracing::info!(from = %plan.from().display(), to = %plan.to().display(), "the data folder is moved");
                    kernel.reply(from, correlation, Ok(&()));
                    kernel.begin_moving(plan);
                }
                Ok(Ok(None)) => {
                    kernel.moving = None;
                    kernel.reply(from, correlation, Ok(&()));
                }
                Ok(Err(fault)) => {
                    kernel.moving = None;
                    let failure = Failure::new(ErrorCode::BadPayload, fault.to_string());
                    kernel.reply::<()>(from, correlation, Err(failure));
                }
                Ok(Ok(Some(_))) | Err(_) => {
                    kernel.moving = None;
                    let failure = Failure::new(ErrorCode::Unavailable, "the data folder cannot be moved now");
                    kernel.reply::<()>(from, correlation, Err(failure));
                    kernel.finish_if_down();
                }
            }
            kernel.flush();
        });
    }

    /// Who asks, if it has the folder and a person wants it moved: a worker that was taken over could otherwise get itself any folder.
    fn may_move(&self, from: EndpointId, header: &Header) -> Result<usize, Failure> {
        let denied = |message: &str| Failure::new(ErrorCode::Denied, message);
        let index = self.worker_index(from).filter(|index| {
            let worker = &self.workers[*index];
            worker.generation == from.generation && worker.role.template.paths.contains(&PathRule::Data)
        });
        let index = index.ok_or_else(|| denied("only the worker that has the data folder may have it moved"))?;
        let asked = self.pending.get(header.parent).filter(|call| call.callee == from).is_some_and(|call| {
            let changes = [config::SET.method, config::UNSET.method, config::IMPORT.method];
            let by_client = self.peers.get(call.caller).is_some_and(|peer| peer.role.kind == RoleKind::Client);
            by_client && call.info.service == config::ID && changes.contains(&call.info.method)
        });
        if !asked {
            return Err(denied("the data folder is moved only for a person who changes its setting"));
        }
        if self.moving.is_some() {
            return Err(Failure::new(ErrorCode::Busy, "the data folder is being moved already"));
        }
        Ok(index)
    }

    fn begin_moving(&mut self, plan: Plan) {
        let Some(moving) = &mut self.moving else { return };
        let index = moving.index;
        moving.stage = MoveStage::Stopping(plan);
        self.warnings.retain(|warning| !warning.starts_with(WARNING));
        self.workers[index].cause = Some("its data folder is moved".to_owned());
        self.supervise(index, Event::Stop);
    }

    /// Copies once the worker is down. Called at every change of its state.
    pub fn carry_on_moving(&mut self, index: usize) {
        let worker = &self.workers[index];
        let down = worker.process.is_none() && matches!(worker.supervisor.state(), State::Stopped | State::Held { .. });
        let Some(moving) = self.moving.as_mut().filter(|moving| down && moving.index == index) else { return };
        let plan = match std::mem::replace(&mut moving.stage, MoveStage::Copying) {
            MoveStage::Stopping(plan) => plan,
            other => {
                moving.stage = other;
                return;
            }
        };
        let Some(shared) = self.me.upgrade() else { return };
        let stop = Arc::clone(&moving.stop);
        let (old, new) = (plan.from().to_owned(), plan.to().to_owned());
        let copied = elsewhere(move || plan.carry_out(&stop));
        tokio::task::spawn_local(async move {
            let copied = copied.await;
            let mut kernel = shared.borrow_mut();
            kernel.moving = None;
            let warning = match copied {
                Ok(Ok(Moved { left: None })) => {
                    tracing::info!(to = %new.display(), "the data folder was moved");
                    None
                }
                Ok(Ok(Moved { left: Some(fault) })) => Some(format!(
                    "{WARNING} was moved to {}, but what was in {} could not all be removed ({fault}); remove it yourself",
                    new.display(),
                    old.display()
                )),
                Ok(Err(fault)) => Some(not_moved(&new, &old, &fault.to_string())),
                Err(_) => Some(not_moved(&new, &old, "the copying ended early")),
            };
            if let Some(warning) = warning {
                tracing::warn!("{warning}");
                kernel.warn(warning);
            }
            if !kernel.shutting_down {
                kernel.supervise(index, Event::Start);
            }
            kernel.finish_if_down();
            kernel.flush();
        });
    }

    /// Whoever has the folder must not start while it is on its way.
    ///
    /// # Errors
    /// While that is so.
    pub fn refuse_while_moving(&self, index: usize) -> Result<(), Failure> {
        match &self.moving {
            Some(moving) if moving.index == index => {
                let message = "its data folder is being moved; it starts by itself when that is done";
                Err(Failure::new(ErrorCode::Unavailable, message))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// How every warning of this file begins, so that a new move takes back what was said of the last.
const WARNING: &str = "The data folder";

fn not_moved(to: &Path, stays: &Path, why: &str) -> String {
    format!("{WARNING} could not be moved to {} ({why}); it stays at {}", to.display(), stays.display())
}
