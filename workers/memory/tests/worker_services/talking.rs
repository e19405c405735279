//! Transcripts over the bus.

use crate::fresh;
use butterfly_api::Chunk;
use butterfly_api::conversations::{
    Begin, BeginTurn, Begun, Export, ExportRequest, Format, Import, Imported, List, ListRequest, MessageState, Recover,
    Save, SaveMessage, Search, SearchRequest, Show, ShowRequest,
};
use butterfly_api::model::{Message, Role};
use butterfly_api::session::Place;
use butterfly_client::{Bus, Next};
use butterfly_wire::{ErrorCode, Failure};

/// Says something and answers it.
pub(crate) async fn exchange(bus: &Bus, key: u64, conversation: Option<u64>, text: &str, said: &str) -> Begun {
    let begin = Begin { key, conversation, place: Place::End, text: text.to_owned(), provenance: 1 };
    let begun = bus.call::<BeginTurn>(&begin).await.unwrap();
    let save = Save {
        turn: begun.turn,
        part: 0,
        message: Message::new(Role::Assistant, said),
        state: MessageState::Complete,
        model: "kit".to_owned(),
        usage: None,
        error: None,
        shown: None,
    };
    bus.call::<SaveMessage>(&save).await.unwrap();
    begun
}

async fn export(bus: &Bus, conversation: u64, format: Format) -> Vec<u8> {
    let mut stream = bus.stream::<Export>(&ExportRequest { conversation, format }).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        match stream.next().await.unwrap() {
            Next::Item(chunk) => bytes.extend(chunk.bytes),
            Next::End(end) => {
                assert_eq!(end.bytes, bytes.len() as u64);
                return bytes;
            }
        }
    }
}

async fn import(bus: &Bus, document: &[u8]) -> Result<Imported, Failure> {
    let mut upload = bus.upload::<Import>(&()).await.unwrap();
    for bytes in document.chunks(40_000) {
        if upload.send(&Chunk { bytes: bytes.to_vec() }).await.is_err() {
            break;
        }
    }
    upload.finish().await
}

#[tokio::test]
async fn what_was_said_is_listed_shown_and_found() {
    let (_folder, served) = fresh();
    let bus = &served.bus;
    let begun = exchange(bus, 1, None, "where is the violet lantern?", "in the hall").await;
    let again = exchange(bus, 1, None, "where is the violet lantern?", "in the hall").await;
    assert_eq!(again.turn, begun.turn, "asked twice, said once");
    let page = bus.call::<List>(&ListRequest { offset: 0, limit: 10, trash: false }).await.unwrap();
    assert_eq!((page.total, page.conversations[0].messages), (1, 2));
    let show = ShowRequest { conversation: begun.conversation, before: None, limit: 10 };
    let messages = bus.call::<Show>(&show).await.unwrap().messages;
    assert_eq!(messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>()[1], "in the hall");
    let request = SearchRequest { query: "lanterns".to_owned(), limit: 10 };
    let hits = bus.call::<Search>(&request).await.unwrap().hits;
    let (from, to) = hits[1].matches[0];
    assert_eq!(&hits[1].snippet[from as usize..to as usize], "lantern");
    assert_eq!(bus.call::<Recover>(&()).await.unwrap().interrupted, 0);
    let unknown = ShowRequest { conversation: 99, before: None, limit: 1 };
    let failure = bus.call::<Show>(&unknown).await.unwrap_err();
    assert!(failure.code == ErrorCode::BadPayload && failure.message.contains("conversations list"), "{failure}");
}

#[tokio::test]
async fn long_conversation_goes_out_in_pieces_and_comes_back_as_it_was() {
    let (_folder, served) = fresh();
    let bus = &served.bus;
    let mut conversation = None;
    for turn in 0..40 {
        let text = format!("turn {turn} 🦋 {}", "said at length ".repeat(400));
        conversation = Some(exchange(bus, 100 + turn, conversation, &text, "yes").await.conversation);
    }
    let written = export(bus, conversation.unwrap(), Format::Json).await;
    assert!(written.len() > 3 * butterfly_memory::conversations::CHUNK_BYTES);
    let imported = import(bus, &written).await.unwrap();
    assert_eq!(imported.messages, 80);
    assert_eq!(export(bus, imported.conversation, Format::Json).await, written);
    assert!(export(bus, imported.conversation, Format::Markdown).await.starts_with(b"# turn 0"));
    let failure = import(bus, &written[..written.len() - 10]).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::BadPayload, "{failure}");
    let page = bus.call::<List>(&ListRequest { offset: 0, limit: 10, trash: false }).await.unwrap();
    assert_eq!(page.total, 2, "half a document leaves nothing");
}
