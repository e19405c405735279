//! The database: one writer, a few readers, and the lock that keeps everybody else out.

use crate::error::StoreError;
use crate::{migrate, opening, replace, space};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The database's file in the data folder.
pub const FILE: &str = "butterfly.db";

/// What is being written and does not count yet, in the data folder; emptied at every start.
pub const SCRATCH: &str = "tmp";

/// Connections that read. Two cores are the smallest machine that we care for; more readers than that wait for the disk.
const READERS: usize = 3;

/// For every connection. 4 MiB of cache each: the worker's budget at rest is 40 MB.
const READER: &str = "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096; \
    PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;";
/// The log is cut back to 8 MiB whenever it was longer: a bulk import leaves a long one.
const WRITER: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; \
    PRAGMA recursive_triggers = ON; PRAGMA journal_size_limit = 8388608;";

/// The open database.
pub struct Store {
    folder: PathBuf,
    /// `None` once the store was closed.
    writer: Mutex<Option<SqliteConnection>>,
    readers: Mutex<Readers>,
    returned: Condvar,
    /// Held as long as the store lives; the system lets go of it with the process, however that ends.
    _lock: File,
}

/// Connections that read: made when first needed.
#[derive(Default)]
struct Readers {
    idle: Vec<SqliteConnection>,
    lent: usize,
    /// Nobody may begin to read.
    barred: bool,
}

impl Store {
    /// Opens the database in `folder`, makes it if there is none, and brings its schema up to date; an existing one is
    /// copied before that. A copy that was checked for a restore takes its place first.
    ///
    /// # Errors
    /// [`StoreError`]: a damaged or newer database, a folder that cannot be written or is another process's.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder)?;
        let lock = opening::lock(folder)?;
        opening::sweep(&folder.join(SCRATCH))?;
        replace::finish(folder)?;
        let file = folder.join(FILE);
        opening::check_header(&file)?;
        let judge = |error| judge_opening(folder, error);
        let mut writer = connect(&file, WRITER).map_err(judge)?;
        opening::check(&mut writer, &file).map_err(judge)?;
        migrate::run(&mut writer, folder).map_err(judge)?;
        Ok(Self {
            folder: folder.to_owned(),
            writer: Mutex::new(Some(writer)),
            readers: Mutex::default(),
            returned: Condvar::new(),
            _lock: lock,
        })
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database's file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Runs `work` in one transaction. What it did is on the disk when this returns `Ok`, and undone otherwise.
    ///
    /// # Errors
    /// What `work` returns, or the commit's failure.
    pub fn write<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with_writer(|db| {
            // What the work failed with says more than a rollback that fails because SQLite has undone all by itself.
            let mut cause = None;
            let done = db.immediate_transaction(|db| {
                work(db).map_err(|error| match error {
                    StoreError::DiskFull => {
                        cause = Some(StoreError::DiskFull);
                        StoreError::DiskFull
                    }
                    other => other,
                })
            });
            match (done, cause) {
                (Err(_), Some(cause)) => Err(cause),
                (done, _) => done,
            }
        })
    }

    /// Runs `work` on the writing connection, outside of any transaction.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn maintain<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with_writer(work)
    }

    /// Like [`Store::maintain`], while nobody reads: for what rewrites the file and its log. Who wants to read waits.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn alone<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut writer = self.writer();
        let _barrier = Barrier::raise(self);
        let connection = writer.as_mut().ok_or(StoreError::Closed)?;
        work(connection).map_err(|error| judge(&self.folder, error))
    }

    /// Closes the database: whoever comes later is told to try again, when there is another store.
    pub fn close(&self) {
        let mut writer = self.writer();
        let _barrier = Barrier::raise(self);
        *writer = None;
    }

    /// Runs `work` on one consistent state, beside the writer.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn read<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut loan = self.borrow()?;
        let connection = match &mut loan.connection {
            Some(connection) => connection,
            None => {
                let fresh = connect(&self.file(), READER).map_err(|error| judge(&self.folder, error))?;
                loan.connection.insert(fresh)
            }
        };
        connection.transaction(work).map_err(|error| judge(&self.folder, error))
    }

    fn with_writer<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer();
        let connection = writer.as_mut().ok_or(StoreError::Closed)?;
        let done = work(connection);
        if let Err(StoreError::Database(_) | StoreError::DiskFull | StoreError::Corrupt { .. }) = done {
            // After a fault of SQLite's own it is not certain where the connection stands; a new one stands at the start.
            match connect(&self.file(), WRITER) {
                Ok(fresh) => *connection = fresh,
                Err(error) => tracing::warn!(%error, "the database does not open again after a fault"),
            }
        }
        done.map_err(|error| judge(&self.folder, error))
    }

    fn writer(&self) -> MutexGuard<'_, Option<SqliteConnection>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn borrow(&self) -> Result<Loan<'_>, StoreError> {
        let mut readers = self.readers();
        while readers.barred || readers.lent >= READERS {
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
        readers.lent += 1;
        let connection = readers.idle.pop();
        drop(readers);
        let loan = Loan { store: self, connection };
        // A store that was closed has no writer; one that is being written has, but says so only to who waits for it.
        match self.writer.try_lock() {
            Ok(writer) if writer.is_none() => Err(StoreError::Closed),
            Ok(_) | Err(_) => Ok(loan),
        }
    }
}

/// A reader on loan: it goes back whatever happens.
struct Loan<'a> {
    store: &'a Store,
    /// `None`: it is yet to be made.
    connection: Option<SqliteConnection>,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut readers = self.store.readers();
        readers.lent -= 1;
        readers.idle.extend(self.connection.take());
        self.store.returned.notify_all();
    }
}

/// While it stands, nobody reads and no connection that reads is open.
struct Barrier<'a> {
    store: &'a Store,
}

impl<'a> Barrier<'a> {
    fn raise(store: &'a Store) -> Self {
        let mut readers = store.readers();
        readers.barred = true;
        while readers.lent > 0 {
            readers = store.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
        readers.idle.clear();
        Self { store }
    }
}

impl Drop for Barrier<'_> {
    fn drop(&mut self) {
        self.store.readers().barred = false;
        self.store.returned.notify_all();
    }
}

/// Opens a connection of its own to a database, for copies of it and checks of them.
pub(crate) fn connect_alone(file: &Path) -> Result<SqliteConnection, StoreError> {
    connect(file, "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096;")
}

fn connect(file: &Path, pragmas: &str) -> Result<SqliteConnection, StoreError> {
    let mut connection = SqliteConnection::establish(&file.to_string_lossy()).map_err(|error| match error {
        diesel::ConnectionError::CouldntSetupConfiguration(error) => error.into(),
        other => StoreError::Io(std::io::Error::other(format!("{} does not open: {other}", file.display()))),
    })?;
    connection.batch_execute(pragmas)?;
    Ok(connection)
}

/// Says what a fault means that shows while the database is opened: nothing was asked of it yet but what it is, so that it
/// is the file's, unless the system refused something.
fn judge_opening(folder: &Path, error: StoreError) -> StoreError {
    match judge(folder, error) {
        StoreError::Database(fault) if !is_of_the_system(&fault.to_string()) => {
            opening::damaged(&folder.join(FILE), fault.to_string())
        }
        other => other,
    }
}

/// Whether the system, or another process, is why SQLite could not do something (SQLite, "Result Codes").
fn is_of_the_system(words: &str) -> bool {
    ["disk I/O error", "unable to open", "locked", "out of memory", "readonly", "permission denied"]
        .iter()
        .any(|cause| words.contains(cause))
}

/// Says what a fault of the database means for the person: SQLite's own words are for programmers.
fn judge(folder: &Path, error: StoreError) -> StoreError {
    let StoreError::Database(fault) = &error else { return error };
    let words = fault.to_string();
    if words.contains("malformed") || words.contains("not a database") {
        return opening::damaged(&folder.join(FILE), words);
    }
    if words.contains("disk I/O error") && space::is_full(folder) {
        return StoreError::DiskFull;
    }
    error
}

#[cfg(test)]
#[path = "database/tests.rs"]
mod tests;
