//! Floods, and peers that do not read: the one at fault feels it, and the kernel stays small.

use crate::support::{endpoint, kit, run};
use butterfly_client::Next;
use butterfly_kit::harness::{PATIENCE, status, worker};
use butterfly_kit::service::{Answer, Ask, Count, CountRequest, Echo, Misbehave, Misbehaviour, Relay};
use butterfly_wire::control::{HELLO_BYTES, Hello, HelloRole};
use butterfly_wire::limits::{HALF_OPEN_CONNECTIONS, READER_QUEUE_BYTES, SENDER_QUEUE_BYTES, TERMINAL_RESERVE_BYTES};
use butterfly_wire::{Flags, Header, Kind, catalog, codec, frame, version};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[test]
fn a_flood_is_answered_with_busy_and_kernel_memory_stays_within_the_quotas() {
    run(async {
        let (_instance, bus) = kit().await?;
        let idle = status(&bus).await?.kernel.rss_bytes;
        let deaf = worker(&bus, "other").await?;
        let hang = bus.to(deaf.endpoint);
        let hung = tokio::spawn(async move { hang.call::<Misbehave>(&Misbehaviour::Hang).await });
        let flood = Ask::Flood { to: deaf.endpoint, calls: 600, bytes: 100_000 };
        let flooder = bus.to(endpoint(&bus, "echo").await?).within(PATIENCE);
        let flooded = tokio::spawn(async move { flooder.call::<Relay>(&flood).await });
        let mut peak = 0;
        // Until the pings end the deaf one, and the flood with it.
        while !flooded.is_finished() {
            let now = status(&bus).await?;
            peak = peak.max(now.kernel.rss_bytes);
            let queued = now.workers.iter().map(|worker| worker.queue_bytes).max().unwrap_or_default();
            assert!(queued <= (READER_QUEUE_BYTES + TERMINAL_RESERVE_BYTES) as u64, "{queued}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let Answer::Flooded { busy, .. } = flooded.await?? else { panic!("no count") };
        assert!(busy > 400, "60 MB do not fit {SENDER_QUEUE_BYTES} bytes, yet only {busy} of 600 were refused");
        assert!(hung.await?.is_err());
        // Who may have something queued: the flooder, the reader of its answers, and the client; doubled for the buffer
        // that grows by copying.
        let quotas = 2 * 3 * (SENDER_QUEUE_BYTES + TERMINAL_RESERVE_BYTES) as u64;
        println!("kernel memory: {idle} bytes idle, {peak} at the peak of the flood, {quotas} are the quotas");
        assert!(peak <= idle + quotas, "{peak} > {idle} + {quotas}");
        Ok(())
    });
}

/// A client that speaks the wire by hand.
struct Raw(UnixStream);

impl Raw {
    fn connect(place: &butterfly_wire::place::Place) -> Self {
        let stream = UnixStream::connect(place.socket()).unwrap();
        let token = std::fs::read(place.token()).unwrap().try_into().unwrap();
        let hello = Hello { oldest: version::OLDEST, newest: version::VERSION, role: HelloRole::Client, token };
        let mut raw = Self(stream);
        raw.send(&butterfly_client::connect::hello_header(), &hello.to_bytes());
        let mut length = [0; frame::LENGTH_BYTES];
        raw.0.read_exact(&mut length).unwrap();
        let mut body = vec![0; u32::from_le_bytes(length) as usize];
        raw.0.read_exact(&mut body).unwrap();
        raw
    }

    fn send(&mut self, header: &Header, payload: &[u8]) {
        let mut out = Vec::new();
        frame::append(&mut out, header, payload);
        // A kernel that has hung up on this client is what some tests wait for.
        let _ = self.0.write_all(&out);
    }
}

#[test]
fn a_client_that_never_reads_is_let_go_and_nobody_else_notices() {
    run(async {
        let (instance, bus) = kit().await?;
        let to = endpoint(&bus, "echo").await?;
        let mut raw = Raw::connect(&instance.place);
        let payload = codec::encode(&vec![1_u8; 200_000])?;
        raw.0.set_write_timeout(Some(Duration::from_millis(200)))?;
        for correlation in 1..=200 {
            let header = Header {
                kind: Kind::Request as u8,
                flags: Flags::FROM_CALLER,
                service: catalog::kit::ID,
                method: catalog::kit::ECHO.method,
                destination: to,
                correlation,
                ..Header::default()
            };
            raw.send(&header, &payload);
            assert_eq!(bus.to(to).call::<Echo>(&vec![5]).await?, [5], "the others go on");
        }
        // It either answered Busy within its bound or hung up; in both cases the kernel is still small.
        let now = status(&bus).await?;
        assert_eq!(worker(&bus, "echo").await?.generation, 1);
        let bound = 2 * (SENDER_QUEUE_BYTES + READER_QUEUE_BYTES) as u64 + (16 << 20);
        println!("kernel memory: {} bytes while a client with 40 MB of answers does not read", now.kernel.rss_bytes);
        assert!(now.kernel.rss_bytes <= bound, "{}", now.kernel.rss_bytes);
        Ok(())
    });
}

#[test]
fn a_thousand_half_open_connections_do_not_keep_a_client_out() {
    run(async {
        let (instance, bus) = kit().await?;
        let idle = status(&bus).await?.kernel.rss_bytes;
        let mut half_open = Vec::new();
        for n in 0..1000 {
            let Ok(mut stream) = UnixStream::connect(instance.place.socket()) else { continue };
            // Some say nothing, some begin a Hello and stop.
            if n % 2 == 0 {
                let _ = stream.write_all(&[HELLO_BYTES as u8, 0]);
            }
            half_open.push(stream);
            if n % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        assert!(half_open.len() > HALF_OPEN_CONNECTIONS);
        let another = instance.connect().await?;
        let now = status(&another).await?;
        println!("kernel memory: {idle} bytes idle, {} with a thousand half-open connections", now.kernel.rss_bytes);
        assert!(now.kernel.rss_bytes <= idle + (4 << 20));
        assert_eq!(bus.to(endpoint(&bus, "echo").await?).call::<Echo>(&vec![5]).await?, [5]);
        Ok(())
    });
}

#[test]
fn a_slow_reader_slows_its_own_stream_alone() {
    run(async {
        let (_instance, bus) = kit().await?;
        let to = endpoint(&bus, "echo").await?;
        let request = CountRequest { items: 400, bytes: 60_000, stall_after: None };
        let mut slow = bus.to(to).stream::<Count>(&request).await?;
        assert!(matches!(slow.next().await?, Next::Item(_)));
        let mut quick = bus.to(to).stream::<Count>(&request).await?;
        while let Next::Item(_) = quick.next().await? {}
        let queued = status(&bus).await?.workers.iter().map(|worker| worker.queue_bytes).sum::<u64>();
        assert_eq!(queued, 0, "what the slow one has no credit for was never sent");
        let mut items = 1;
        while let Next::Item(_) = slow.next().await? {
            items += 1;
        }
        assert_eq!(items, 400, "and nothing of it was lost");
        Ok(())
    });
}
