//! What is between the service and PostgreSQL.

/// Whether connections go through a pooler that gives a session of the server to each transaction, like PgBouncer with
/// `pool_mode = transaction`. A pooler that gives one to each connection is [`Pooler::None`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pooler {
    /// Each connection is a session of the server.
    #[default]
    None,
    /// Each transaction, and the pooler knows prepared statements: PgBouncer since 1.21, with
    /// `max_prepared_statements` above zero.
    Transaction,
    /// Each transaction, and the pooler knows none. A single statement is then a transaction too, because it takes two
    /// messages that must reach the same session.
    Unprepared,
}

impl Pooler {
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "transaction" => Ok(Self::Transaction),
            "unprepared" => Ok(Self::Unprepared),
            _ => Err("It is neither `none`, `transaction` nor `unprepared`.".to_owned()),
        }
    }

    /// Whether nothing that is set for a session stays with a connection.
    pub(super) fn shares_sessions(self) -> bool {
        match self {
            Self::None => false,
            Self::Transaction | Self::Unprepared => true,
        }
    }

    /// Whether a single statement is sent within a transaction.
    pub(super) fn takes_single_statements(self) -> bool {
        match self {
            Self::None | Self::Transaction => false,
            Self::Unprepared => true,
        }
    }

    /// What begins a transaction, in one message. Where sessions are shared, the limits that a connection has otherwise
    /// are those of the transaction.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::None => "BEGIN",
            Self::Transaction | Self::Unprepared => {
                "BEGIN; SET LOCAL statement_timeout = '25s'; SET LOCAL lock_timeout = '5s'; \
                 SET LOCAL idle_in_transaction_session_timeout = '60s'"
            }
        }
    }

    /// The same for one that only reads, and reads one state.
    pub(super) fn begin_reading(self) -> &'static str {
        match self {
            Self::None => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Transaction | Self::Unprepared => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                 SET LOCAL statement_timeout = '25s'; SET LOCAL lock_timeout = '5s'; \
                 SET LOCAL idle_in_transaction_session_timeout = '60s'"
            }
        }
    }
}
