//! Statements in SQL that SQLite prepares once for each connection: Diesel prepares those of `sql_query` anew each time.
//!
//! For statements whose text is always the same. One that is put together of varying parts belongs into `sql_query`, or
//! the connection would keep each of its forms.

use crate::search::json;
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType, Text, Untyped};
use diesel::sqlite::Sqlite;
use diesel::{AppearsOnTable, Expression, QueryResult, RunQueryDsl, SelectableExpression};
use std::borrow::Cow;
use std::marker::PhantomData;

/// A statement whose values are named `?1`, `?2` … in it, and bound in this order.
pub(crate) fn prepared<'q>(sql: impl Into<Cow<'q, str>>) -> Prepared<'q> {
    Prepared { sql: sql.into() }
}

/// What [`prepared`] gives.
pub(crate) struct Prepared<'q> {
    sql: Cow<'q, str>,
}

/// A statement with one more value.
pub(crate) struct Bound<Q, Value, Kind> {
    before: Q,
    value: Value,
    kind: PhantomData<Kind>,
}

impl Prepared<'_> {
    /// Binds the first value.
    pub(crate) fn bind<Kind, Value>(self, value: Value) -> Bound<Self, Value, Kind> {
        Bound { before: self, value, kind: PhantomData }
    }
}

impl<Q, Before, Earlier> Bound<Q, Before, Earlier> {
    /// Binds the next value.
    pub(crate) fn bind<Kind, Value>(self, value: Value) -> Bound<Self, Value, Kind> {
        Bound { before: self, value, kind: PhantomData }
    }
}

impl QueryFragment<Sqlite> for Prepared<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(&self.sql);
        // Diesel writes a placeholder for each value that is bound. Those of the statement are numbered already; its own
        // are a comment.
        out.push_sql(" --");
        Ok(())
    }
}

impl<Q, Value, Kind> QueryFragment<Sqlite> for Bound<Q, Value, Kind>
where
    Sqlite: HasSqlType<Kind>,
    Q: QueryFragment<Sqlite>,
    Value: ToSql<Kind, Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.before.walk_ast(out.reborrow())?;
        out.push_bind_param::<Kind, Value>(&self.value)
    }
}

impl QueryId for Prepared<'_> {
    type QueryId = ();
    /// It is known by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, Value, Kind> QueryId for Bound<Q, Value, Kind> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Prepared<'_> {
    type SqlType = Untyped;
}

impl<Q, Value, Kind> Query for Bound<Q, Value, Kind> {
    type SqlType = Untyped;
}

impl<Connection> RunQueryDsl<Connection> for Prepared<'_> {}

impl<Q, Value, Kind, Connection> RunQueryDsl<Connection> for Bound<Q, Value, Kind> {}

/// The condition that a number is one of many, which are one value of the statement: with a value for each it would be
/// another statement for each number of them.
pub(crate) struct Among {
    column: &'static str,
    list: String,
}

impl Among {
    /// `column` with its table's name.
    pub(crate) fn new(column: &'static str, numbers: &[i64]) -> Self {
        Self { column, list: json(numbers.iter().copied()) }
    }
}

impl QueryFragment<Sqlite> for Among {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(self.column);
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, String>(&self.list)?;
        out.push_sql("))");
        Ok(())
    }
}

impl QueryId for Among {
    type QueryId = ();
    /// Its column is a value of its own: what it belongs to is known by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Expression for Among {
    type SqlType = Bool;
}

impl<Source> AppearsOnTable<Source> for Among {}

impl<Source> SelectableExpression<Source> for Among {}

impl<Grouping> ValidGrouping<Grouping> for Among {
    type IsAggregate = is_aggregate::Never;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use diesel::QueryableByName;
    use diesel::sql_types::{BigInt, Nullable, Text};

    #[derive(QueryableByName)]
    struct Told {
        #[diesel(sql_type = Text)]
        told: String,
    }

    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }

    #[test]
    fn values_go_where_their_numbers_stand() {
        let (_folder, store) = testing::store();
        let tell = |text: &str, number: Option<i64>| {
            let (text, number) = (text.to_owned(), number);
            store.read(move |db| {
                let told: Told = prepared("SELECT ?2 || '|' || coalesce(?1, 'none') || '|' || ?2 AS told")
                    .bind::<Nullable<BigInt>, _>(number)
                    .bind::<Text, _>(text)
                    .get_result(db)?;
                Ok(told.told)
            })
        };
        assert_eq!(tell("?", Some(7)).unwrap(), "?|7|?");
        assert_eq!(tell("-- '", None).unwrap(), "-- '|none|-- '");
        let one: Count = store.read(|db| Ok(prepared("SELECT 1 AS count").get_result(db)?)).unwrap();
        assert_eq!(one.count, 1);
    }
}
