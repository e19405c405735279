//! Being called: how an incoming request reaches its handler, and how the answer leaves.

use crate::bus::{Bus, encode};
use crate::call::Call;
use crate::state::{Serving, callee_header};
use crate::stream::{Inlet, Outlet, WINDOW};
use butterfly_wire::limits::CREDIT_LIMIT;
use butterfly_wire::{ErrorCode, Failure, Flags, Header, Kind, Method, catalog, codec};
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// What a connection does with requests and with events that nobody subscribed to.
pub trait Handler: Send + Sync + 'static {
    /// A request. It must be answered through one of [`Incoming`]'s methods.
    fn request(&self, incoming: Incoming);
    /// An event from the kernel that is no subscription's.
    fn event(&self, bus: &Bus, header: &Header, payload: &[u8]);
}

/// Serves nothing: a client's handler.
pub struct NoHandler;

impl Handler for NoHandler {
    fn request(&self, incoming: Incoming) {
        incoming.refuse(ErrorCode::UnknownMethod, "a client serves nothing");
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

/// A request that has arrived and is not yet answered.
pub struct Incoming {
    pub header: Header,
    pub payload: Vec<u8>,
    pub(crate) bus: Bus,
}

impl Incoming {
    /// Answers a unary method with what the handler returns.
    pub fn unary<M, H, F>(self, handler: H)
    where
        M: Method,
        H: FnOnce(Call, M::Request) -> F + Send + 'static,
        F: Future<Output = Result<M::Reply, Failure>> + Send + 'static,
    {
        self.answer::<M, _, _>(Kind::Response, Serving::default(), handler);
    }

    /// Answers a streaming method: items through the outlet, the closing value as the handler's result.
    pub fn stream<M, H, F>(self, handler: H)
    where
        M: Method,
        H: FnOnce(Call, M::Request, Outlet<M::Item>) -> F + Send + 'static,
        F: Future<Output = Result<M::Reply, Failure>> + Send + 'static,
    {
        let credit = Arc::new(Semaphore::new(self.header.credit.min(CREDIT_LIMIT) as usize));
        let outlet = Outlet {
            shared: Arc::clone(&self.bus.shared),
            correlation: self.header.correlation,
            credit: Arc::clone(&credit),
            item: PhantomData,
        };
        let serving = Serving { credit: Some(credit), ..Serving::default() };
        self.answer::<M, _, _>(Kind::End, serving, move |call, request| handler(call, request, outlet));
    }

    /// Answers an upload: the caller's items come through the inlet.
    pub fn upload<M, H, F>(self, handler: H)
    where
        M: Method,
        H: FnOnce(Call, M::Request, Inlet<M::Upload>) -> F + Send + 'static,
        F: Future<Output = Result<M::Reply, Failure>> + Send + 'static,
    {
        let (sender, items) = mpsc::unbounded_channel();
        let inlet = Inlet {
            shared: Arc::clone(&self.bus.shared),
            correlation: self.header.correlation,
            items,
            taken: 0,
            item: PhantomData,
        };
        let serving = Serving { inlet: Some(sender), ..Serving::default() };
        self.answer::<M, _, _>(Kind::Response, serving, move |call, request| {
            inlet.grant(WINDOW);
            handler(call, request, inlet)
        });
    }

    /// Answers with a failure.
    pub fn refuse(self, code: ErrorCode, message: &str) {
        let closing = self.closing_kind();
        respond(&self.bus, self.header.correlation, closing, Err(Failure::new(code, message)));
    }

    /// The kind of frame that closes this call, as its method's row in the catalog says.
    fn closing_kind(&self) -> Kind {
        match catalog::method(self.header.service, self.header.method).map(|info| info.flow) {
            Some(catalog::Flow::Stream) => Kind::End,
            Some(catalog::Flow::Unary | catalog::Flow::Upload) | None => Kind::Response,
        }
    }

    fn answer<M, H, F>(self, closing: Kind, serving: Serving, handler: H)
    where
        M: Method,
        H: FnOnce(Call, M::Request) -> F + Send + 'static,
        F: Future<Output = Result<M::Reply, Failure>> + Send + 'static,
    {
        let Self { header, payload, bus } = self;
        let correlation = header.correlation;
        let request = match codec::decode::<M::Request>(&payload) {
            Ok(request) => request,
            Err(fault) => {
                let failure = Failure::new(ErrorCode::BadPayload, format!("no valid argument of this method: {fault}"));
                respond(&bus, correlation, closing, Err(failure));
                return;
            }
        };
        let shared = Arc::clone(&bus.shared);
        shared.state().serving.insert(correlation, serving);
        let call = Call::new(&bus, header);
        let task = tokio::spawn(async move {
            let result = handler(call, request).await.and_then(|reply| encode(&reply));
            // A call that was cancelled meanwhile is no longer ours to answer.
            if bus.shared.state().serving.remove(&correlation).is_some() {
                respond(&bus, correlation, closing, result);
            }
        });
        if let Some(serving) = shared.state().serving.get_mut(&correlation) {
            serving.abort = Some(task.abort_handle());
        }
    }
}

fn respond(bus: &Bus, correlation: u64, closing: Kind, result: Result<Vec<u8>, Failure>) {
    match result {
        Ok(payload) => bus.shared.push(&callee_header(closing, Flags::NONE, correlation), &payload),
        Err(failure) => {
            // Encoding a failure can only fail when its text is larger than a frame; then the code alone must do.
            let payload = encode(&failure).or_else(|_| encode(&Failure::new(failure.code, ""))).unwrap_or_default();
            bus.shared.push(&callee_header(closing, Flags::ERROR, correlation), &payload);
        }
    }
}

/// A service that a worker offers: made by `butterfly-api` from an implementation of the service's trait.
pub trait Service: Send + Sync + 'static {
    /// Its number in the catalog.
    fn id(&self) -> u16;
    /// Routes a request to the method that it names.
    fn dispatch(&self, incoming: Incoming);
}
