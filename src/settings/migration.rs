//! The settings of the database and the log, which are all that `sallyport migrate` reads.

use crate::database::{DatabaseTls, DatabaseUrl};
use crate::logging::{LogFormat, LogSettings, check_filter};
use crate::settings::bad::BadSettings;
use crate::settings::files;
use crate::settings::options::Options;
use crate::settings::read::{Reader, path, shown};
use std::path::{Path, PathBuf};

/// What `sallyport migrate` needs: no secret but the database's URL.
#[derive(Debug, Clone)]
pub struct MigrationSettings {
    pub database: DatabaseUrl,
    pub log: LogSettings,
}

impl MigrationSettings {
    /// Parses what is written, and reads the file of the database's URL. Other settings are left alone.
    pub fn parse(options: Options) -> Result<Self, BadSettings> {
        let mut read = Reader::default();
        let mut options = files::with_database_file(options, &mut read);
        let data_dir = data_dir(&mut read, &mut options);
        let settings = Self {
            database: database(&mut read, &mut options, &data_dir),
            log: log(&mut read, &mut options),
        };
        match read.faults.is_empty() {
            true => Ok(settings),
            false => Err(BadSettings(read.faults)),
        }
    }
}

/// The data folder.
pub(super) fn data_dir(read: &mut Reader, options: &mut Options) -> PathBuf {
    read.text(
        "SALLYPORT_DATA_DIR",
        options.data_dir.take(),
        "/var/lib/sallyport",
        path,
    )
    .unwrap_or_else(|| PathBuf::from("data"))
}

/// Where the database is: the SQLite file in the data folder unless another one is given.
pub(super) fn database(read: &mut Reader, options: &mut Options, data_dir: &Path) -> DatabaseUrl {
    let tls = read
        .text(
            "SALLYPORT_DATABASE_TLS",
            options.database_tls.take(),
            "verified",
            DatabaseTls::parse,
        )
        .unwrap_or(DatabaseTls::Verified);
    read.text(
        "SALLYPORT_DATABASE_URL",
        options.database_url.take(),
        "postgres://sallyport:PASSWORD@db.example.com:5432/sallyport",
        |t| DatabaseUrl::parse(t, tls).map_err(|e| e.detail),
    )
    .unwrap_or_else(|| DatabaseUrl::sqlite_file(&data_dir.join("sallyport.db")))
}

/// What is logged, and how.
pub(super) fn log(read: &mut Reader, options: &mut Options) -> LogSettings {
    LogSettings {
        filter: read
            .text(
                "SALLYPORT_LOG",
                options.log.take(),
                "info,sallyport=debug",
                |t| check_filter(t).map(|()| t.to_owned()),
            )
            .unwrap_or_else(|| "info".to_owned()),
        format: read
            .text(
                "SALLYPORT_LOG_FORMAT",
                options.log_format.take(),
                "json",
                |t| match t {
                    "text" => Ok(LogFormat::Text),
                    "json" => Ok(LogFormat::Json),
                    _ => Err(format!("`{}` is neither `text` nor `json`.", shown(t))),
                },
            )
            .unwrap_or(LogFormat::Text),
    }
}
