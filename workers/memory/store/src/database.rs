//! The database: one writer, a few readers.

use crate::error::StoreError;
use crate::migrate;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The database's file in the data folder.
pub const FILE: &str = "butterfly.db";

/// Connections that read. Two cores are the smallest machine that we care for; more readers than that wait for the disk.
const READERS: usize = 3;

/// For every connection. 4 MiB of cache each: the worker's budget at rest is 40 MB.
const READER: &str = "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096; \
    PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;";
const WRITER: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; \
    PRAGMA recursive_triggers = ON;";

/// The open database.
pub struct Store {
    folder: PathBuf,
    writer: Mutex<SqliteConnection>,
    readers: Mutex<Vec<SqliteConnection>>,
    returned: Condvar,
}

impl Store {
    /// Opens the database in `folder`, makes it if there is none, and brings its schema up to date; an existing one is
    /// copied before that.
    ///
    /// # Errors
    /// [`StoreError`]: a damaged or newer database, a folder that cannot be written.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        let mut writer = connect(&file, WRITER)?;
        migrate::run(&mut writer, folder)?;
        let readers = (0..READERS).map(|_| connect(&file, READER)).collect::<Result<_, _>>()?;
        Ok(Self {
            folder: folder.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::new(readers),
            returned: Condvar::new(),
        })
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `work` in one transaction. What it did is on the disk when this returns `Ok`, and undone otherwise.
    ///
    /// # Errors
    /// What `work` returns, or the commit's failure.
    pub fn write<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.writer().immediate_transaction(work)
    }

    /// Runs `work` on the writing connection, outside of any transaction: for VACUUM and the like.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn maintain<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        work(&mut self.writer())
    }

    /// Runs `work` on one consistent state, beside the writer.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn read<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut reader = Reader { store: self, connection: Some(self.reader()) };
        match &mut reader.connection {
            Some(connection) => connection.transaction(work),
            None => Err(StoreError::Refused("no connection to read with".to_owned())),
        }
    }

    fn writer(&self) -> MutexGuard<'_, SqliteConnection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> SqliteConnection {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(reader) = readers.pop() {
                return reader;
            }
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A reader on loan: it goes back whatever happens.
struct Reader<'a> {
    store: &'a Store,
    connection: Option<SqliteConnection>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.store.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            self.store.returned.notify_one();
        }
    }
}

fn connect(file: &Path, pragmas: &str) -> Result<SqliteConnection, StoreError> {
    let fault = |fault: String| StoreError::Corrupt { file: file.to_owned(), fault, backup: None };
    let mut connection =
        SqliteConnection::establish(&file.to_string_lossy()).map_err(|error| fault(error.to_string()))?;
    connection.batch_execute(pragmas).map_err(|error| fault(error.to_string()))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::prelude::*;

    #[test]
    fn what_was_written_is_read_and_what_failed_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.write(|db| Ok(db.batch_execute("INSERT INTO notes VALUES ('a', '1')")?)).unwrap();
        let undone: Result<(), _> = store.write(|db| {
            db.batch_execute("INSERT INTO notes VALUES ('b', '2')")?;
            Err(StoreError::Refused("no".to_owned()))
        });
        assert!(undone.is_err());
        let names: Vec<String> =
            store.read(|db| Ok(crate::schema::notes::table.select(crate::schema::notes::name).load(db)?)).unwrap();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(store.read(|db| Ok(db.batch_execute("INSERT INTO notes VALUES ('a', '1')")?)).is_err());
    }
}
