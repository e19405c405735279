//! What the assistant in the pictures knows: conversations of some weeks, and what was noted in them.

use anyhow::bail;
use butterfly_api::Chunk;
use butterfly_api::conversations::{Change, List, ListRequest, Update};
use butterfly_api::memory::{Add, AddRequest, Import, Index};
use butterfly_client::{Bus, Next};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// Days ago, what the conversation is about, and what was said in turn: the person begins.
const CONVERSATIONS: [(i64, &str, &[&str]); 9] = [
    (
        0,
        "trip",
        &[
            "What do I still have to book for the hiking week in the Dolomites?",
            "The bus from Bolzano to the Seceda lift, and the last night: the hut takes bookings by phone only.",
        ],
    ),
    (
        1,
        "tomatoes",
        &[
            "How do I keep the tomatoes on the balcony alive while I am away for ten days?",
            "Water them twice the evening before, move the pots together into the shade, and put a wick into each from a bucket.",
        ],
    ),
    (
        1,
        "talk",
        &[
            "Draft an opening for my talk about rain gardens.",
            "Last July the square in front of the town hall stood under water for nine hours. This summer it did not, and nobody noticed. That is the best thing one can say of a rain garden.",
        ],
    ),
    (
        3,
        "sourdough",
        &[
            "Why does my sourdough stay flat in the rye mix?",
            "Rye has little gluten that holds gas. Keep it below a third of the flour, or bake it in a tin.",
        ],
    ),
    (
        5,
        "photos",
        &[
            "Rename 2,000 photos by the date they were taken, please.",
            "exiftool can do it in one line: exiftool '-FileName<DateTimeOriginal' -d '%Y-%m-%d %H.%M.%S%%-c.%%e' .",
        ],
    ),
    (
        8,
        "lease",
        &[
            "Which notice period does the lease for the studio have?",
            "Three months to the end of a quarter, in writing.",
        ],
    ),
    (
        16,
        "bike",
        &[
            "The gears of my bike slip under load. What is it?",
            "Most likely a worn chain: measure it, and look at the cassette if it is over 0.75 %.",
        ],
    ),
    (
        24,
        "books",
        &["Three novels like The Remains of the Day?", "Try A Month in the Country, Gilead, and The Blue Flower."],
    ),
    (
        41,
        "porto",
        &[
            "What should I see in Porto with two hours left before my train?",
            "Walk from Ribeira up to the Clérigos tower, and have a pastel de nata on the way to São Bento.",
        ],
    ),
];

/// Days ago, what was noted, and its tag.
const NOTES: [(i64, &str, &str); 24] = [
    (70, "I live in Berlin since 2019.", ""),
    (70, "I work as a landscape architect.", "work"),
    (69, "I speak German, English and Portuguese.", ""),
    (66, "My sister Ana lives in Porto.", "family"),
    (66, "Ana's birthday is on 4 December.", "family"),
    (66, "Ana works at Hospital São João.", "family"),
    (60, "Ana is married to Rui.", "family"),
    (60, "Rui works at Casa da Música.", "family"),
    (52, "I am allergic to peanuts.", "health"),
    (47, "My partner Jonas works at Charité.", "family"),
    (47, "Jonas is vegetarian.", "family"),
    (47, "Jonas likes jazz, sourdough and old maps.", "family"),
    (39, "I like hiking, rain gardens and green tea.", ""),
    (36, "I have a dog named Pixel.", ""),
    (33, "My friend Noor lives in Copenhagen.", "friends"),
    (33, "Noor works at Maersk.", "work"),
    (33, "Noor speaks Danish, Arabic and English.", "friends"),
    (28, "My brother Tomás lives in Hamburg.", "family"),
    (28, "Tomás studies at HafenCity University.", "family"),
    (21, "My mother lives in Hamburg.", "family"),
    (14, "Actually, Ana moved to Lisbon.", "family"),
    (14, "Ana likes jazz, drawing and olive trees.", "family"),
    (6, "My favourite colour is petrol.", ""),
    (2, "Remember that Noor comes to Berlin on 2027-03-19.", "friends"),
];

/// Days ago, the first of it.
const FIRST: i64 = 70;

/// Hours before now at which the first of the conversations was.
const LATELY: i64 = 2;

/// Puts all of it into memory, and waits until it can be found.
pub async fn plant(bus: &Bus) -> anyhow::Result<()> {
    let now = Timestamp::now();
    // As it came: what was said first is the first that memory was told.
    for day in (0..=FIRST).rev() {
        for (_, text, tag) in NOTES.iter().filter(|note| note.0 == day) {
            let at = now - SignedDuration::from_hours(day * 24 + LATELY + 1);
            let tags = [*tag].into_iter().filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
            let at_unix_ms = Some(u64::try_from(at.as_millisecond())?);
            bus.call::<Add>(&AddRequest { text: (*text).to_owned(), tags, at_unix_ms, ..AddRequest::default() })
                .await?;
        }
        for (_, name, said) in CONVERSATIONS.iter().filter(|one| one.0 == day) {
            import(bus, name, said, now - SignedDuration::from_hours(day * 24 + LATELY)).await?;
        }
    }
    let listed = bus.call::<List>(&ListRequest { limit: 50, ..ListRequest::default() }).await?.conversations;
    // An import tells nobody which conversations it made; a change of one is told.
    for one in listed {
        let pinned = Some(one.external_id.as_deref() == Some("talk"));
        bus.call::<Change>(&Update { conversation: one.id, pinned, ..Update::default() }).await?;
    }
    let mut index = bus.stream::<Index>(&()).await?;
    while let Next::Item(_) = index.next().await? {}
    Ok(())
}

/// A conversation that began then, as if it came from elsewhere.
async fn import(bus: &Bus, name: &str, said: &[&str], began: Timestamp) -> anyhow::Result<()> {
    let mut lines = String::new();
    for (at, text) in (0_i64..).zip(said) {
        let speaker = if at % 2 == 0 { "user" } else { "assistant" };
        let when = (began + SignedDuration::from_mins(at)).to_string();
        let line = json!({ "id": at, "conversation": name, "speaker": speaker, "text": text, "at": when });
        lines.push_str(&format!("{line}\n"));
    }
    let mut upload = bus.upload::<Import>(&()).await?;
    upload.send(&Chunk { bytes: lines.into_bytes() }).await?;
    let report = upload.finish().await?;
    if report.refused_count > 0 {
        bail!("lines of the pictures' conversations are refused: {:?}", report.refused);
    }
    Ok(())
}
