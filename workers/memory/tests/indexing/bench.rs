//! What every test stands on.

use butterfly_api::model::{Cause, Embed, EmbedAs, EmbedRequest, Embeddings, ModelError};
use butterfly_client::{Bus, Handler, Incoming, NoHandler, start};
use butterfly_memory::Core;
use butterfly_memory::config::Config;
use butterfly_memory::indexing::{Index, Progress};
use butterfly_store::Store;
use butterfly_store::settings::Edit;
use butterfly_vectors::lance::Tuning;
use butterfly_vectors::{Lance, VectorStores};
use butterfly_wire::{ErrorCode, Failure, Header, catalog};
use diesel::connection::SimpleConnection;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Long enough for any answer that comes at all.
pub const AMPLE: Duration = Duration::from_secs(60);

/// What the model does.
#[derive(Clone)]
pub struct Doing {
    pub name: String,
    pub dimensions: usize,
    /// It fails at everything.
    pub fails: Option<Cause>,
    /// It fails at every request in which this word stands.
    pub chokes_on: Option<&'static str>,
    /// It gives something that is not a number for texts in which this word stands.
    pub raves_about: Option<&'static str>,
    /// It serves no other model than its own.
    pub only_itself: bool,
}

/// A model that counts words: texts that share words are near to each other.
pub struct Scripted {
    pub doing: Mutex<Doing>,
    pub asked: Mutex<Vec<EmbedRequest>>,
    /// Requests that it may answer yet.
    pub permits: Semaphore,
}

impl Scripted {
    fn new() -> Arc<Self> {
        let doing = Doing {
            name: "words".to_owned(),
            dimensions: 32,
            fails: None,
            chokes_on: None,
            raves_about: None,
            only_itself: false,
        };
        Arc::new(Self {
            doing: Mutex::new(doing),
            asked: Mutex::default(),
            permits: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    pub fn now(&self, change: impl FnOnce(&mut Doing)) {
        change(&mut self.doing.lock().unwrap());
    }

    /// Every passage's text that it was asked for, in order.
    pub fn texts(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.embed_as == EmbedAs::Passage).flat_map(|asked| asked.texts.clone()).collect()
    }

    pub fn questions(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.embed_as == EmbedAs::Query).count()
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, Failure> {
        self.asked.lock().unwrap().push(request.clone());
        self.permits.acquire().await.unwrap().forget();
        let doing = self.doing.lock().unwrap().clone();
        let refuse = |cause| Err(Failure::from(ModelError::new(cause, "the model says no; ask it later")));
        if let Some(cause) = doing.fails {
            return refuse(cause);
        }
        let name = request.model.unwrap_or_else(|| doing.name.clone());
        if doing.only_itself && name != doing.name {
            return refuse(Cause::ModelMissing { model: name });
        }
        let has = |word: Option<&str>, text: &str| word.is_some_and(|word| text.contains(word));
        if request.texts.iter().any(|text| has(doing.chokes_on, text)) {
            return refuse(Cause::Rejected { status: 400 });
        }
        let dimensions = if name == "other" { 24 } else { doing.dimensions };
        let vectors = request.texts.iter().map(|text| {
            let mut vector = words(text, dimensions);
            if has(doing.raves_about, text) {
                vector[0] = f32::NAN;
            }
            vector
        });
        Ok(Embeddings { model: name.clone(), vectors: vectors.collect() })
    }
}

fn words(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0; dimensions];
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        // FNV-1a.
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
        vector[(hash % dimensions as u64) as usize] += 1.0;
        vector[((hash >> 32) % dimensions as u64) as usize] += 0.5;
    }
    vector
}

struct Serving(Arc<Scripted>);

impl Handler for Serving {
    fn request(&self, incoming: Incoming) {
        let model = Arc::clone(&self.0);
        if incoming.header.service == catalog::model::ID && incoming.header.method == catalog::model::EMBED.method {
            return incoming.unary::<Embed, _, _>(move |_, request| async move { model.embed(request).await });
        }
        incoming.refuse(ErrorCode::UnknownMethod, "it only embeds");
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

/// An index at work.
pub struct Bench {
    pub core: Arc<Core>,
    pub config: Arc<Config>,
    pub index: Arc<Index>,
    pub model: Arc<Scripted>,
    pub bus: Bus,
    running: JoinHandle<()>,
}

impl Bench {
    /// Over this folder, with a new model.
    pub fn over(folder: &Path) -> Self {
        Self::asking(folder, Scripted::new())
    }

    pub fn asking(folder: &Path, model: Arc<Scripted>) -> Self {
        // Hundreds of rows want an index already.
        let tuning = Tuning { flat_bytes: 300 * 32 * 4, coarse_bytes: 0, changes: 16, tail: 64 };
        let stores: Arc<dyn VectorStores> = Arc::new(Lance::tuned(&folder.join("vectors"), tuning));
        let core = Core::new(Arc::new(Store::open(folder).unwrap()));
        let config = Config::open(Arc::clone(core.store()), &[]).unwrap();
        let index = Index::with_stores(Arc::clone(&core), Arc::clone(&config), stores);
        let (near, far) = tokio::io::duplex(64 << 10);
        start(far, Arc::new(Serving(Arc::clone(&model))));
        let bus = start(near, Arc::new(NoHandler));
        core.connected(bus.clone());
        let running = tokio::spawn(Arc::clone(&index).run());
        Self { core, config, index, model, bus, running }
    }

    /// Ends like a process that is killed: nothing is finished.
    pub async fn killed(self) -> Arc<Scripted> {
        self.running.abort();
        let _ = self.running.await;
        self.model
    }

    /// Messages of a conversation, each following the one before; their ids.
    pub async fn say(&self, conversation: i64, texts: &[&str]) -> Vec<i64> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        let write = move |db: &mut diesel::SqliteConnection| {
            db.batch_execute(&format!(
                "INSERT OR IGNORE INTO conversations (id, created_ms, updated_ms) VALUES ({conversation}, 0, 0)"
            ))?;
            let mut ids = Vec::new();
            for text in texts {
                ids.push(say(db, conversation, &text)?);
            }
            Ok(ids)
        };
        self.core.write(write).await.unwrap()
    }

    pub async fn sql(&self, sql: &str) {
        let sql = sql.to_owned();
        self.core.write(move |db| Ok(db.batch_execute(&sql)?)).await.unwrap();
    }

    pub async fn settle(&self) -> Option<String> {
        let settling = self.index.settle(|_: Progress| async {});
        tokio::time::timeout(AMPLE, settling).await.expect("the index never settles")
    }

    /// The passages nearest to a question.
    pub async fn find(&self, question: &str) -> Result<Vec<i64>, String> {
        self.find_in(question, None).await
    }

    pub async fn find_in(&self, question: &str, conversation: Option<i64>) -> Result<Vec<i64>, String> {
        let vector = self.index.query_vector(&self.bus, question, AMPLE).await?;
        let found = self.index.nearest(&vector, 5, conversation).await?;
        Ok(found.into_iter().map(|(id, _)| id).collect())
    }

    pub fn set(&self, key: &str, value: &str) {
        let edit = Edit::Set { profile: None, key: key.to_owned(), value: value.to_owned() };
        self.config.apply(&[edit]).unwrap();
    }
}

fn say(db: &mut diesel::SqliteConnection, conversation: i64, text: &str) -> Result<i64, butterfly_store::StoreError> {
    use diesel::prelude::*;
    use diesel::sql_types::{BigInt, Nullable, Text};
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = Nullable<BigInt>)]
        id: Option<i64>,
    }
    let last: Id = diesel::sql_query("SELECT max(id) AS id FROM messages WHERE conversation_id = ?")
        .bind::<BigInt, _>(conversation)
        .get_result(db)?;
    let new: Id = diesel::sql_query(
        "INSERT INTO passages (kind, conversation_id, speaker, text, at_ms) VALUES (0, ?, 'user', ?, 0) RETURNING id",
    )
    .bind::<BigInt, _>(conversation)
    .bind::<Text, _>(text)
    .get_result(db)?;
    let id = new.id.unwrap();
    diesel::sql_query(
        "INSERT INTO messages (id, conversation_id, parent_id, turn_id, part, role, state) VALUES (?, ?, ?, ?, -1, 1, 1)",
    )
    .bind::<BigInt, _>(id)
    .bind::<BigInt, _>(conversation)
    .bind::<Nullable<BigInt>, _>(last.id)
    .bind::<BigInt, _>(id)
    .execute(db)?;
    Ok(id)
}

/// A folder of its own.
pub fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}
