//! Copies of the store: sent, checked, and put in its place.

use crate::talking::exchange;
use crate::{Served, fresh, serve};
use butterfly_api::Chunk;
use butterfly_api::conversations::{List, ListRequest};
use butterfly_api::storage::{BackedUp, Backup, GetStats, Restore, Restored};
use butterfly_client::{Bus, Next};
use butterfly_wire::{ErrorCode, Failure};
use sha2::{Digest, Sha256};
use std::sync::atomic::Ordering;

async fn backup(bus: &Bus) -> (Vec<u8>, BackedUp) {
    let mut stream = bus.stream::<Backup>(&()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        match stream.next().await.unwrap() {
            Next::Item(chunk) => bytes.extend(chunk.bytes),
            Next::End(end) => return (bytes, end),
        }
    }
}

async fn restore(bus: &Bus, copy: &[u8]) -> Result<Restored, Failure> {
    let mut upload = bus.upload::<Restore>(&()).await.unwrap();
    for bytes in copy.chunks(60_000) {
        if upload.send(&Chunk { bytes: bytes.to_vec() }).await.is_err() {
            break;
        }
    }
    upload.finish().await
}

fn scratch(served: &Served) -> usize {
    std::fs::read_dir(served.core.store().folder().join("tmp")).unwrap().count()
}

#[tokio::test]
async fn copy_that_was_sent_brings_back_what_it_held() {
    let (folder, served) = fresh();
    for turn in 0..30 {
        exchange(&served.bus, turn, None, &format!("the lighthouse {turn}"), "was painted in April").await;
    }
    let (copy, end) = backup(&served.bus).await;
    assert_eq!(end.bytes, copy.len() as u64);
    let hash: String = Sha256::digest(&copy).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(end.sha256, hash);
    exchange(&served.bus, 99, None, "the foghorn", "was sold in May").await;

    let mut damaged = copy.clone();
    let middle = damaged.len() / 2 / 4096 * 4096;
    damaged[middle..middle + 4096].fill(0x5a);
    for bad in [&damaged[..], &copy[..copy.len() / 3], b"no database", b""] {
        let failure = restore(&served.bus, bad).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadPayload, "{failure}");
        assert!(failure.message.contains("not used"), "{failure}");
    }
    let list = ListRequest { offset: 0, limit: 1, trash: false };
    assert_eq!(served.bus.call::<List>(&list).await.unwrap().total, 31, "a refused copy changes nothing");
    assert!(!served.left.load(Ordering::SeqCst));

    let restored = restore(&served.bus, &copy).await.unwrap();
    assert_eq!((restored.conversations, restored.messages), (30, 60));
    assert!(served.left.load(Ordering::SeqCst), "the worker ends, so that its successor opens the copy");
    let info = butterfly_wire::catalog::conversations::LIST;
    let payload = butterfly_wire::codec::encode(&list).unwrap();
    let late = served.bus.call_once(&info, &payload).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::Unavailable, "nobody is told of the old store any more");
    assert_eq!(scratch(&served), 0);
    // What the successor finds: the files as they lie there.
    let next = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), next.path().join(entry.file_name())).unwrap();
        }
    }
    let served = serve(next.path());
    assert_eq!(served.bus.call::<List>(&list).await.unwrap().total, 30);
    let stats = served.bus.call::<GetStats>(&()).await.unwrap();
    assert_eq!(stats.backups, [restored.previous]);
    assert_eq!((stats.messages, stats.waiting_for_vectors), (60, 60), "vectors are made again");
}

#[tokio::test]
async fn copy_nobody_reads_any_more_leaves_nothing_behind() {
    let (_folder, served) = fresh();
    for turn in 0..150 {
        exchange(&served.bus, turn, None, &"words ".repeat(3000), "yes").await;
    }
    let mut stream = served.bus.stream::<Backup>(&()).await.unwrap();
    assert!(matches!(stream.next().await.unwrap(), Next::Item(_)));
    assert_eq!(scratch(&served), 1);
    drop(stream);
    while scratch(&served) > 0 {
        tokio::task::yield_now().await;
    }
}
