//! Tests of opening, over real files: whose the folder is, what is damaged, what is older, what is full.

use super::*;
use crate::storage::Transcripts;
use crate::testing::*;
use crate::{migrate, replace};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use diesel_migrations::MigrationHarness;
use std::os::unix::fs::FileExt;

fn note(store: &Store, name: &str) -> Result<(), StoreError> {
    store.write(|db| crate::notes::put(db, name, &1))
}

fn names(store: &Store) -> Vec<String> {
    use crate::schema::notes::dsl;
    store.read(|db| Ok(dsl::notes.select(dsl::name).order(dsl::name).load(db)?)).unwrap()
}

fn refusal(folder: &Path) -> StoreError {
    match Store::open(folder) {
        Ok(_) => panic!("it opens"),
        Err(error) => error,
    }
}

#[test]
fn what_was_written_is_read_and_what_failed_is_undone() {
    let (_folder, store) = store();
    note(&store, "a").unwrap();
    let undone: Result<(), _> = store.write(|db| {
        crate::notes::put(db, "b", &2)?;
        Err(StoreError::Refused("no".to_owned()))
    });
    assert!(undone.is_err());
    assert_eq!(names(&store), ["a"]);
}

#[test]
fn reader_cannot_write() {
    let (_folder, store) = store();
    assert!(store.read(|db| crate::notes::put(db, "a", &1)).is_err());
    assert!(names(&store).is_empty());
}

#[test]
fn second_opening_of_one_folder_refuses_until_the_first_is_over() {
    let (folder, store) = store();
    assert!(matches!(refusal(folder.path()), StoreError::InUse));
    note(&store, "still open").unwrap();
    drop(store);
    assert_eq!(names(&Store::open(folder.path()).unwrap()), ["still open"]);
}

#[test]
fn closed_store_says_so_to_all() {
    let (_folder, store) = store();
    store.close();
    assert!(matches!(note(&store, "a"), Err(StoreError::Closed)));
    assert!(matches!(store.read(|_| Ok(())), Err(StoreError::Closed)));
}

#[test]
fn file_that_is_no_database_is_reported_with_the_newest_copy_and_left_alone() {
    let (folder, store) = store();
    drop(store);
    let file = folder.path().join(FILE);
    std::fs::write(&file, b"this is no database").unwrap();
    let backups = folder.path().join(migrate::BACKUPS);
    std::fs::create_dir_all(&backups).unwrap();
    std::fs::write(backups.join("a.db"), b"x").unwrap();
    let error = refusal(folder.path());
    assert!(matches!(&error, StoreError::Corrupt { backup: Some(copy), .. } if copy.ends_with("a.db")), "{error}");
    assert!(error.to_string().contains("a.db") && error.to_string().contains("restore"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"this is no database");
}

#[test]
fn damaged_page_is_found_at_the_opening() {
    let (folder, store) = store();
    for number in 0..400 {
        exchange(&store, None, &format!("question {number}"), "a longer answer that fills some pages");
    }
    drop(store);
    let file = std::fs::File::options().write(true).open(folder.path().join(FILE)).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    assert!(pages > 40, "{pages}");
    // All but the first pages, which hold the schema.
    for page in (20..pages).step_by(3) {
        file.write_all_at(&[0x5a; 4096], page * 4096).unwrap();
    }
    assert!(matches!(refusal(folder.path()), StoreError::Corrupt { .. }));
}

#[test]
fn damaged_header_is_reported_as_damage() {
    let (folder, store) = store();
    exchange(&store, None, "hello", "there");
    drop(store);
    let file = std::fs::File::options().write(true).open(folder.path().join(FILE)).unwrap();
    // The schema's format number and all that follows it (SQLite, "Database File Format", 1.3).
    file.write_all_at(&[0x5a; 56], 44).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
}

#[test]
fn emptied_database_is_damage_where_something_shows_that_it_was_not_empty() {
    let (folder, store) = store();
    drop(store);
    let file = folder.path().join(FILE);
    std::fs::write(&file, b"").unwrap();
    drop(Store::open(folder.path()).unwrap());
    std::fs::create_dir_all(folder.path().join(replace::VECTORS).join("model_1.lance")).unwrap();
    std::fs::write(&file, b"").unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
}

#[test]
fn damage_that_shows_in_use_is_named() {
    let (folder, store) = store();
    exchange(&store, None, "hello", "there");
    store.alone(|db| Ok(sql_query("PRAGMA wal_checkpoint(TRUNCATE)").execute(db)?)).unwrap();
    let file = std::fs::File::options().write(true).open(folder.path().join(FILE)).unwrap();
    for page in 1..file.metadata().unwrap().len() / 4096 {
        file.write_all_at(&[0x5a; 4096], page * 4096).unwrap();
    }
    let error = store.read(crate::care::counts).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn newer_schema_is_refused_and_not_touched() {
    let (folder, store) = store();
    store
        .write(|db| {
            sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')").execute(db)?;
            Ok(())
        })
        .unwrap();
    drop(store);
    let before = std::fs::read(folder.path().join(FILE)).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(&error, StoreError::Newer { found, .. } if found.starts_with("2099")), "{error}");
    assert_eq!(std::fs::read(folder.path().join(FILE)).unwrap(), before);
}

#[test]
fn older_schema_is_copied_and_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    {
        let mut db = connect(&folder.path().join(FILE), WRITER).unwrap();
        db.run_next_migration(migrate::MIGRATIONS).unwrap();
        sql_query("INSERT INTO conversations (title, created_ms, updated_ms) VALUES ('from before', 1, 1)")
            .execute(&mut db)
            .unwrap();
        sql_query("INSERT INTO passages (kind, speaker, text, at_ms) VALUES (1, 'user', 'an old memory', 1)")
            .execute(&mut db)
            .unwrap();
    }
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM conversations WHERE title = 'from before'"), 1);
    let copies = crate::backups::list(folder.path());
    assert_eq!(copies.len(), 1);
    let mut copy = connect_alone(&copies[0]).unwrap();
    assert_eq!(migrate::applied(&mut copy).unwrap().len(), 1);
    drop(store);
    Store::open(folder.path()).unwrap();
    assert_eq!(crate::backups::list(folder.path()), copies, "nothing to bring up to date, nothing to copy");
}

#[test]
fn tables_are_as_the_schema_says() {
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        found: String,
    }
    let (_folder, store) = store();
    let found: Vec<Column> = store
        .read(|db| {
            Ok(sql_query(
                "SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'BIGINT' THEN 'BigInt' WHEN 'TEXT' THEN 'Text' \
                 WHEN 'BOOLEAN' THEN 'Bool' WHEN 'INTEGER' THEN CASE WHEN c.pk = 1 OR m.name || '.' || c.name = \
                 'embedded.model_id' THEN 'BigInt' ELSE 'Integer' END ELSE c.type END \
                 || CASE WHEN c.\"notnull\" OR c.pk > 0 THEN '' ELSE '?' END AS found \
                 FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE 'passages\\__%' ESCAPE '\\' \
                   AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                 ORDER BY m.name, c.cid",
            )
            .load(db)?)
        })
        .unwrap();
    let found: Vec<String> = found.into_iter().map(|column| column.found).collect();
    let mut declared = Vec::new();
    let mut table = String::new();
    for line in include_str!("../schema.rs").lines().map(str::trim) {
        if let Some(name) = line.strip_suffix(") {").and_then(|line| line.split_once(" (")) {
            table = name.0.to_owned();
        } else if let Some((name, kind)) = line.strip_suffix(',').and_then(|line| line.split_once(" -> ")) {
            let kind = kind
                .strip_prefix("Nullable<")
                .and_then(|kind| kind.strip_suffix('>'))
                .map_or_else(|| kind.to_owned(), |kind| format!("{kind}?"));
            declared.push((table.clone(), format!("{table}.{name} {kind}")));
        }
    }
    declared.sort_by(|a, b| a.0.cmp(&b.0));
    let declared: Vec<String> = declared.into_iter().map(|(_, column)| column).collect();
    assert_eq!(declared, found);
}

/// SQLite looks for what refers to a row whenever one is deleted, and reads the whole table where no index helps.
#[test]
fn every_reference_has_an_index_so_that_deleting_reads_no_table() {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let (_folder, store) = store();
    let without: Vec<Name> = store
        .read(|db| {
            let found = sql_query(
                "SELECT t.name || '.' || f.\"from\" AS name FROM sqlite_master t, pragma_foreign_key_list(t.name) f \
                 WHERE t.type = 'table' AND NOT EXISTS ( \
                     SELECT 1 FROM pragma_index_list(t.name) i, pragma_index_info(i.name) c \
                     WHERE c.seqno = 0 AND c.name = f.\"from\") \
                   AND NOT EXISTS ( \
                     SELECT 1 FROM pragma_table_info(t.name) k WHERE k.pk = 1 AND k.name = f.\"from\")",
            );
            Ok(found.load(db)?)
        })
        .unwrap();
    assert_eq!(without.into_iter().map(|it| it.name).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn full_disk_refuses_by_name_and_works_again_when_there_is_room() {
    let (_folder, store) = store();
    exchange(&store, None, "before", "it was full");
    let limit = |pages: u32| format!("PRAGMA max_page_count = {pages}");
    let pages = number(&store, "SELECT page_count FROM pragma_page_count");
    let fill = |store: &Store| -> StoreError {
        loop {
            // A limit of SQLite's own, which is one of its connection: it is a new one after each failure.
            let full = store.maintain(|db| Ok(sql_query(limit(u32::try_from(pages).unwrap())).execute(db)?));
            full.unwrap();
            if let Err(error) =
                store.begin(&request(None, butterfly_api::session::Place::End, &"x".repeat(50_000)), NOW)
            {
                return error;
            }
        }
    };
    for _ in 0..3 {
        let error = fill(&store);
        assert!(matches!(error, StoreError::DiskFull), "{error}");
    }
    exchange(&store, None, "after", "there is room again");
    assert_eq!(number(&store, "SELECT count(*) FROM conversations"), 2);
    words_are_whole(&store);
}

#[test]
fn full_volume_refuses_by_name_and_works_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = mount(folder.path());
    if !mounted {
        println!("no volume of its own can be mounted here: not tried");
        return;
    }
    {
        let store = Store::open(folder.path()).unwrap();
        exchange(&store, None, "before", "it was full");
        let ballast = folder.path().join("ballast");
        let room = crate::space::available(folder.path()).unwrap();
        std::fs::write(&ballast, vec![1; usize::try_from(room.saturating_sub(200 << 10)).unwrap()]).unwrap();
        let mut refused = None;
        for _ in 0..200 {
            let begun = store.begin(&request(None, butterfly_api::session::Place::End, &"x".repeat(20_000)), NOW);
            if let Err(error) = begun {
                refused = Some(error);
                break;
            }
        }
        let refused = refused.expect("it fits no end");
        assert!(matches!(refused, StoreError::DiskFull), "{refused}");
        let kept = number(&store, "SELECT count(*) FROM messages");
        std::fs::remove_file(&ballast).unwrap();
        exchange(&store, None, "after", "there is room again");
        assert_eq!(number(&store, "SELECT count(*) FROM messages"), kept + 2);
        words_are_whole(&store);
    }
    let unmounted = std::process::Command::new("umount").arg(folder.path()).status().unwrap();
    assert!(unmounted.success());
}

/// Mounts a volume of 3 MiB there; only root can.
fn mount(folder: &Path) -> bool {
    let mut command = std::process::Command::new("mount");
    command.args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(folder);
    command.stderr(std::process::Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn copy_of_the_files_in_the_middle_of_anything_opens_with_all_that_was_acknowledged() {
    let (folder, store) = store();
    exchange(&store, None, "the first words", "an answer");
    let store = std::sync::Arc::new(store);
    let acknowledged = std::sync::Arc::new(Mutex::new(0_i64));
    let over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writing = {
        let (store, acknowledged, over) = (store.clone(), acknowledged.clone(), over.clone());
        std::thread::spawn(move || {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                let (begun, _) = exchange(&store, None, "a question about tides", "an answer of some length");
                let second = begin(&store, Some(begun.conversation), "and again");
                let streaming = butterfly_api::conversations::MessageState::Streaming;
                store.save(&part(second.turn, 0, "half an", streaming), 0, NOW).unwrap();
                *acknowledged.lock().unwrap() += 4;
            }
        })
    };
    let wal = folder.path().join(format!("{FILE}-wal"));
    let mut opened = 0;
    while opened < 6 {
        let copy = tempfile::tempdir().unwrap();
        let before = *acknowledged.lock().unwrap();
        // The log is read before the database, too: only if it did not start anew meanwhile do the two belong together.
        let first = std::fs::read(&wal).unwrap();
        let database = std::fs::read(folder.path().join(FILE)).unwrap();
        let mut log = std::fs::read(&wal).unwrap();
        if first.is_empty() || !log.starts_with(&first[..32]) {
            continue;
        }
        // What was being written when it ended is torn.
        log.extend([0x5a; 2000]);
        std::fs::write(copy.path().join(FILE), database).unwrap();
        std::fs::write(copy.path().join(format!("{FILE}-wal")), log).unwrap();
        let reopened = Store::open(copy.path()).unwrap();
        assert!(number(&reopened, "SELECT count(*) FROM messages") >= before);
        reopened.recover().unwrap();
        assert_eq!(number(&reopened, "SELECT count(*) FROM messages WHERE state = 0"), 0);
        words_are_whole(&reopened);
        crate::care::verify(&reopened).unwrap();
        opened += 1;
    }
    over.store(true, std::sync::atomic::Ordering::Relaxed);
    writing.join().unwrap();
}

#[test]
fn checked_copy_takes_the_databases_place_whatever_interrupts_it() {
    let (folder, store) = store();
    exchange(&store, None, "the lighthouse was painted", "in April");
    let copy = crate::care::copy(&store, "copy.db").unwrap();
    let kept = folder.path().join("kept.db");
    std::fs::rename(copy, &kept).unwrap();
    exchange(&store, None, "the foghorn was sold", "in May");
    std::fs::create_dir_all(folder.path().join(replace::VECTORS)).unwrap();
    let mut open = Some(store);
    for interrupted in [false, true] {
        let upload = folder.path().join(SCRATCH).join("upload.db");
        std::fs::copy(&kept, &upload).unwrap();
        let checked = replace::check(&upload).unwrap();
        assert_eq!((checked.conversations, checked.messages), (1, 2));
        let previous = replace::schedule(folder.path(), &checked, NOW + i64::from(interrupted)).unwrap();
        drop(open.take());
        if interrupted {
            // The old one is out of the way, the new one is not yet in its place.
            std::fs::create_dir_all(folder.path().join(migrate::BACKUPS)).unwrap();
            std::fs::rename(folder.path().join(FILE), folder.path().join(&previous)).unwrap();
        }
        let after = Store::open(folder.path()).unwrap();
        assert_eq!(number(&after, "SELECT count(*) FROM conversations"), 1);
        assert_eq!(number(&after, "SELECT count(*) FROM vector_outbox"), 2, "vectors are made again");
        assert!(folder.path().join(previous).exists());
        assert!(!folder.path().join(replace::VECTORS).exists());
        open = Some(after);
    }
}

#[test]
fn copies_that_are_not_whole_or_not_ours_are_refused() {
    let (folder, store) = store();
    exchange(&store, None, "hello", "there");
    let good = crate::care::copy(&store, "copy.db").unwrap();
    let bytes = std::fs::read(&good).unwrap();
    let refused = |what: &str, bytes: &[u8]| {
        let file = folder.path().join("bad.db");
        std::fs::write(&file, bytes).unwrap();
        match replace::check(&file) {
            Ok(_) => panic!("{what} was taken"),
            Err(error) => error.to_string(),
        }
    };
    assert!(refused("text", b"no database at all, but some text").contains("damaged"));
    assert!(refused("half of it", &bytes[..bytes.len() / 2]).contains("damaged"));
    let mut torn = bytes.clone();
    let middle = torn.len() / 2;
    torn[middle..middle + 4096].fill(0x5a);
    assert!(refused("a torn page", &torn).contains("damaged"));
    let changed = |sql: &str| {
        let file = folder.path().join("changed.db");
        std::fs::write(&file, &bytes).unwrap();
        let mut db = connect_alone(&file).unwrap();
        db.batch_execute(sql).unwrap();
        drop(db);
        std::fs::read(&file).unwrap()
    };
    let stranger = changed("DROP TRIGGER vector_outbox_insert");
    assert!(refused("another schema", &stranger).contains("not one of ButterFly Bot's"));
    let trap = changed("CREATE TRIGGER trap AFTER INSERT ON messages BEGIN DELETE FROM facts; END");
    assert!(refused("a trigger of its own", &trap).contains("not one of ButterFly Bot's"));
    let newer = changed("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')");
    assert!(refused("a newer one", &newer).contains("newer"));
    let unlike = changed("INSERT INTO passages_fts (passages_fts) VALUES ('delete-all')");
    assert!(refused("an index of other words", &unlike).contains("damaged"));
    let other = folder.path().join("other.db");
    let mut db = connect_alone(&other).unwrap();
    db.batch_execute("CREATE TABLE t (a)").unwrap();
    drop(db);
    assert!(refused("another program's", &std::fs::read(&other).unwrap()).contains("not one of ButterFly Bot's"));
    assert!(replace::check(&good).is_ok());
}
