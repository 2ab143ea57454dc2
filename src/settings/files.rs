//! Secrets in files, in the place of the secrets themselves.

use crate::settings::options::Options;
use crate::settings::read::Reader;
use std::fs::File;
use std::io::Read;

/// The most of a file that is read, in bytes: far more than any secret has.
const LONGEST: u64 = 64 * 1024;

/// A secret that may be in a file.
struct Secret {
    name: &'static str,
    file_name: &'static str,
    /// An example of the file.
    example: &'static str,
    /// Whether an empty file means that there is none. So one can be emptied before it is removed.
    may_be_empty: bool,
}

/// Puts what is in the files into the settings that the files stand for. The master key's own file is read at
/// start, with its errors.
pub(super) fn with_files(options: Options, read: &mut Reader) -> Options {
    let mut options = options;
    let operator_token = Secret {
        name: "SALLYPORT_OPERATOR_TOKEN",
        file_name: "SALLYPORT_OPERATOR_TOKEN_FILE",
        example: "/run/secrets/sallyport-operator-token",
        may_be_empty: false,
    };
    let operator_token_previous = Secret {
        name: "SALLYPORT_OPERATOR_TOKEN_PREVIOUS",
        file_name: "SALLYPORT_OPERATOR_TOKEN_PREVIOUS_FILE",
        example: "/run/secrets/sallyport-operator-token-previous",
        may_be_empty: true,
    };
    let master_key_previous = Secret {
        name: "SALLYPORT_MASTER_KEY_PREVIOUS",
        file_name: "SALLYPORT_MASTER_KEY_PREVIOUS_FILE",
        example: "/run/secrets/sallyport-master-key-previous",
        may_be_empty: true,
    };
    let transfer_key = Secret {
        name: "SALLYPORT_TRANSFER_KEY",
        file_name: "SALLYPORT_TRANSFER_KEY_FILE",
        example: "/run/secrets/sallyport-transfer-key",
        may_be_empty: true,
    };
    options = with_database_file(options, read);
    options.transfer_key = transfer_key.read(
        read,
        options.transfer_key.take(),
        options.transfer_key_file.take(),
    );
    options.operator_token = operator_token.read(
        read,
        options.operator_token.take(),
        options.operator_token_file.take(),
    );
    options.operator_token_previous = operator_token_previous.read(
        read,
        options.operator_token_previous.take(),
        options.operator_token_previous_file.take(),
    );
    let several = master_key_previous.read(
        read,
        options.master_key_previous.take(),
        options.master_key_previous_file.take(),
    );
    // In a file each key may have a line of its own.
    options.master_key_previous = several.map(|text| text.trim().replace(['\r', '\n'], ","));
    options
}

/// The same for the database's URL alone.
pub(super) fn with_database_file(options: Options, read: &mut Reader) -> Options {
    let mut options = options;
    let database_url = Secret {
        name: "SALLYPORT_DATABASE_URL",
        file_name: "SALLYPORT_DATABASE_URL_FILE",
        example: "/run/secrets/sallyport-database-url",
        may_be_empty: false,
    };
    options.database_url = database_url.read(
        read,
        options.database_url.take(),
        options.database_url_file.take(),
    );
    options
}

impl Secret {
    /// The secret as written, or else what is in its file.
    fn read(
        &self,
        read: &mut Reader,
        value: Option<String>,
        file: Option<String>,
    ) -> Option<String> {
        let is_given = |text: &String| !text.trim().is_empty();
        let value = value.filter(is_given);
        let Some(file) = file.filter(is_given) else {
            return value;
        };
        if value.is_some() {
            let why = format!("It is given twice: here and by {}.", self.file_name);
            read.fault(self.name, why, "one of the two only");
            return value;
        }
        let path = file.trim();
        let shown = crate::settings::read::shown(path);
        match text_of(path) {
            Ok(text) if is_given(&text) => Some(text),
            Ok(_) if self.may_be_empty => None,
            Ok(_) => {
                read.fault(
                    self.file_name,
                    format!("The file `{shown}` is empty."),
                    self.example,
                );
                None
            }
            // The error has nothing of what is in the file.
            Err(error) => {
                read.fault(
                    self.file_name,
                    format!("The file `{shown}` cannot be read: {error}."),
                    self.example,
                );
                None
            }
        }
    }
}

fn text_of(path: &str) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)?;
    let refuse = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_owned());
    if bytes.len() as u64 > LONGEST {
        return Err(refuse("it has more than 64 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8 text"))
}
