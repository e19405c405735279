//! A worker that speaks the wire by hand, and breaks its rules on request. It is confined like any other.

use butterfly_kit::service::Lie;
use butterfly_runtime::{canaries, handshake, harden};
use butterfly_wire::catalog::{control, kit, topic};
use butterfly_wire::confinement::Canary;
use butterfly_wire::control::{Mode, Ping, Ready};
use butterfly_wire::frame::{self, FRAME_LIMIT, LENGTH_BYTES};
use butterfly_wire::limits::CREDIT_LIMIT;
use butterfly_wire::{EndpointId, Flags, Header, Kind, codec};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

fn main() -> anyhow::Result<()> {
    let mut bus = handshake::bus_on_stdin()?;
    let welcome = handshake::shake_hands(&mut bus)?;
    let Mode::Serve(serve) = welcome.mode else { return Ok(()) };
    harden::give_up(&serve.remaining)?;
    let mut canaries = canaries::check(&serve.canaries, &serve.remaining);
    let lies_at_start = serve.overrides.iter().find(|(name, _)| name == "KIT_READY").map(|(_, value)| value.as_str());
    match lies_at_start {
        Some("without-canaries") => canaries.clear(),
        Some("canary-alive") => canaries.push(Canary { name: "told.alive".to_owned(), denied_by: None }),
        _ => {}
    }
    handshake::send_ready(&mut bus, &Ready { canaries })?;
    let mut liar = Liar { bus, me: welcome.endpoint, next: 0, asked: Vec::new() };
    loop {
        let (header, payload) = liar.read()?;
        liar.act(&header, &payload)?;
    }
}

struct Liar {
    bus: UnixStream,
    me: EndpointId,
    next: u64,
    /// Calls of its own that pass their answer on: own number and the call that waits for it.
    asked: Vec<(u64, u64)>,
}

impl Liar {
    fn read(&mut self) -> anyhow::Result<(Header, Vec<u8>)> {
        let mut bytes = vec![0; LENGTH_BYTES];
        self.bus.read_exact(&mut bytes)?;
        let total = frame::length(&bytes, FRAME_LIMIT)?.unwrap_or(LENGTH_BYTES);
        bytes.resize(total, 0);
        self.bus.read_exact(&mut bytes[LENGTH_BYTES..])?;
        let frame = frame::split(&bytes, FRAME_LIMIT)?.ok_or_else(|| anyhow::anyhow!("half a frame"))?;
        Ok((frame.header, frame.payload.to_vec()))
    }

    fn send(&mut self, header: &Header, payload: &[u8]) -> anyhow::Result<()> {
        let mut out = Vec::new();
        frame::append(&mut out, header, payload);
        Ok(self.bus.write_all(&out)?)
    }

    fn respond(&mut self, correlation: u64, payload: &[u8]) -> anyhow::Result<()> {
        self.send(&Header { kind: Kind::Response as u8, correlation, ..Header::default() }, payload)
    }

    fn request(&mut self, service: u16, method: u16, parent: u64) -> Header {
        self.next += 1;
        Header {
            kind: Kind::Request as u8,
            flags: Flags::FROM_CALLER,
            service,
            method,
            correlation: self.next,
            parent,
            ..Header::default()
        }
    }

    fn act(&mut self, header: &Header, payload: &[u8]) -> anyhow::Result<()> {
        match header.kind() {
            Some(Kind::Event) if header.service == control::ID && header.method == topic::PING => {
                let ping: Ping = codec::decode(payload)?;
                handshake::send_event(&mut self.bus, topic::PONG, &ping).map_err(anyhow::Error::from)
            }
            Some(Kind::Request) if header.service == kit::ID && header.method == kit::ECHO.method => {
                // The echo's argument is the lie to tell.
                let bytes: Vec<u8> = codec::decode(payload)?;
                self.lie(header, &codec::decode::<Lie>(&bytes)?)
            }
            Some(Kind::Request) if header.service == kit::ID && header.method == kit::COUNT.method => {
                let item = Header { kind: Kind::Item as u8, correlation: header.correlation, ..Header::default() };
                let payload = codec::encode(&vec![1_u8])?;
                for _ in 0..=header.credit {
                    self.send(&item, &payload)?;
                }
                Ok(())
            }
            Some(Kind::Response) => {
                let at = self.asked.iter().position(|(own, _)| *own == header.correlation);
                match at.map(|at| self.asked.swap_remove(at)) {
                    Some((_, waiting)) => self.respond(waiting, &codec::encode(&payload.to_vec())?),
                    None => Ok(()),
                }
            }
            Some(Kind::Request | Kind::Item | Kind::End | Kind::Credit | Kind::Cancel | Kind::Event) | None => Ok(()),
        }
    }

    fn lie(&mut self, header: &Header, lie: &Lie) -> anyhow::Result<()> {
        let call = header.correlation;
        let echo = codec::encode(&codec::encode(&vec![1_u8])?)?;
        match lie {
            Lie::ForgedSource => {
                let source = EndpointId::new(self.me.slot + 1, 1);
                let request = Header { source, ..self.request(kit::ID, kit::ECHO.method, call) };
                self.send(&request, &echo)?;
            }
            Lie::NotGranted => {
                let request = self.request(control::ID, control::SHUTDOWN.method, call);
                self.send(&request, &[])?;
            }
            Lie::UnknownCorrelation => self.respond(0xFFFF_0000_1234, &[])?,
            Lie::ForeignCall => {
                // The first generation of the first slots: what is open in a kernel that has just started.
                for slot in 0..3_u64 {
                    let number = 1 << 32 | slot;
                    if number != call {
                        self.respond(number, &codec::encode(&b"forged".to_vec())?)?;
                    }
                }
            }
            Lie::ItemWithoutCredit => {
                self.send(&Header { kind: Kind::Item as u8, correlation: call, ..Header::default() }, &[])?;
            }
            Lie::NoTrace => {
                let request = self.request(kit::ID, kit::ECHO.method, 0);
                self.send(&request, &echo)?;
            }
            Lie::StaleEndpoint(to) => {
                let request = Header { destination: *to, ..self.request(kit::ID, kit::ECHO.method, call) };
                self.asked.push((request.correlation, call));
                return self.send(&request, &echo);
            }
            Lie::ClearedProvenance(to) => {
                let request = Header { destination: *to, ..self.request(kit::ID, kit::RELAY.method, call) };
                self.asked.push((request.correlation, call));
                return self.send(&request, &codec::encode(&butterfly_kit::service::Ask::Provenance)?);
            }
            Lie::OversizedLength => self.bus.write_all(&u32::MAX.to_le_bytes())?,
            Lie::HalfFrame => {
                let mut out = Vec::new();
                frame::append(&mut out, &Header { kind: Kind::Response as u8, ..Header::default() }, &[0; 64]);
                self.bus.write_all(&out[..20])?;
                // Says nothing more, ever: whatever came next would complete the frame.
                loop {
                    std::thread::park();
                }
            }
            Lie::WrongFlow => {
                let request = Header { flags: Flags::NONE, ..self.request(kit::ID, kit::ECHO.method, call) };
                self.send(&request, &echo)?;
            }
            Lie::CreditOverLimit => {
                let credit = Header {
                    kind: Kind::Credit as u8,
                    correlation: call,
                    credit: CREDIT_LIMIT + 1,
                    ..Header::default()
                };
                self.send(&credit, &[])?;
            }
        }
        self.respond(call, &codec::encode(&b"lied".to_vec())?)
    }
}
