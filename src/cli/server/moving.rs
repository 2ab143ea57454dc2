//! `sallyport export` and `sallyport import`

use crate::cli::ending::{FAILED, Failed, PASSED};
use crate::cli::server::client::{Server, ServerAddress, json_of, reason};
use crate::cli::server::upload::Upload;
use crate::cli::terminal::{json, printable};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What the last line of a whole file begins with.
const END: &[u8] = b"{\"end\":";

/// Export a workspace to a new file, which `sallyport import` takes.
///
/// The file is encrypted, and readable by its user alone. A file that breaks off is removed. The token is the
/// operator's.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport export --workspace wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e --out acme.ndjson
  sallyport export --workspace acme --transfer --out acme.ndjson")]
pub struct ExportArguments {
    /// The workspace's ID, or the product's own ID of it
    #[arg(long, value_name = "ID")]
    workspace: String,

    /// The new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Encrypt it with the transfer key, for another service that has the same one
    #[arg(long)]
    transfer: bool,

    /// Leave the secrets of access keys and webhooks out
    #[arg(long)]
    without_secrets: bool,

    #[command(flatten)]
    server: ServerAddress,
}

/// Import a workspace from a file of `sallyport export`: all of it, or nothing.
///
/// The token is the operator's.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport import acme.ndjson --dry-run
  sallyport import acme.ndjson")]
pub struct ImportArguments {
    /// The file; `-` is standard input
    file: String,

    /// Say what would be stored, and store nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    server: ServerAddress,
}

pub async fn export(arguments: &ExportArguments, out: &mut impl Write) -> Result<u8, Failed> {
    let server = Server::at(&arguments.server)?;
    let name = printable(&arguments.out.display().to_string());
    let mut query = vec![("workspace_id", arguments.workspace.as_str())];
    if arguments.transfer {
        query.push(("sealed_with", "transfer_key"));
    }
    if arguments.without_secrets {
        query.push(("secrets", "false"));
    }
    let mut file = made(&arguments.out)
        .map_err(|error| Failed::usage(format!("`{name}` cannot be made: {error}")))?;
    let written = write(&server, &query, &mut file).await;
    match written {
        Ok(size) => {
            writeln!(out, "{name}: {size} bytes. The export is complete.")?;
            Ok(PASSED)
        }
        Err(failed) => {
            // Of the export that failed, nothing stays.
            if let Err(error) = std::fs::remove_file(&arguments.out) {
                return Err(Failed {
                    status: FAILED,
                    why: format!(
                        "{}\n`{name}` is incomplete, and cannot be removed: {error}",
                        failed.why
                    ),
                });
            }
            Err(failed)
        }
    }
}

pub async fn import(arguments: &ImportArguments, out: &mut impl Write) -> Result<u8, Failed> {
    let server = Server::at(&arguments.server)?;
    let upload = Upload::open(&arguments.file).map_err(|error| {
        let file = printable(&arguments.file);
        Failed::usage(format!("`{file}` cannot be read: {error}"))
    })?;
    let query: &[(&str, &str)] = match arguments.dry_run {
        true => &[("dry_run", "true")],
        false => &[],
    };
    let mut request = server
        .request(Method::POST, &["v1", "import"], query)
        .header(CONTENT_TYPE, "application/x-ndjson");
    if let Some(size) = upload.size {
        request = request.header(CONTENT_LENGTH, size);
    }
    let request = request.body(reqwest::Body::wrap(upload));
    let report = json_of(server.send(request).await?).await?;
    writeln!(out, "{}", json(&report))?;
    Ok(PASSED)
}

/// Writes the answer to the file, and says how many bytes there are.
async fn write(server: &Server, query: &[(&str, &str)], file: &mut File) -> Result<u64, Failed> {
    let request = server.request(Method::GET, &["v1", "export"], query);
    let mut answer = server.send(request).await?;
    let (mut size, mut lines) = (0, Lines::default());
    loop {
        let piece = answer
            .chunk()
            .await
            .map_err(|error| Failed::from(format!("the export broke off: {}", reason(error))))?;
        let Some(piece) = piece else {
            break;
        };
        file.write_all(&piece).map_err(unwritten)?;
        size += piece.len() as u64;
        lines.take(&piece);
    }
    if !lines.has_end() {
        return Err(Failed::from(
            "the export broke off: its last line is missing".to_owned(),
        ));
    }
    file.sync_all().map_err(unwritten)?;
    Ok(size)
}

fn unwritten(error: io::Error) -> Failed {
    Failed::from(format!("the file cannot be written: {error}"))
}

/// A new file for this user alone.
fn made(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Looks for the last line of a file that is read in pieces.
#[derive(Default)]
struct Lines {
    /// The beginning of the line that is read.
    begun: Vec<u8>,
    /// Of the last whole line.
    last: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for (at, part) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if at > 0 {
                self.last = std::mem::take(&mut self.begun);
            }
            let room = END.len().saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&part[..part.len().min(room)]);
        }
    }

    fn has_end(&self) -> bool {
        self.begun.is_empty() && self.last == END
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_found_in_whatever_pieces_it_comes() {
        let whole = b"{\"format\":1}\n{\"part\":1}\n{\"end\":1,\"sealed\":\"AA==\"}\n";
        for size in 1..whole.len() {
            let mut lines = Lines::default();
            for piece in whole.chunks(size) {
                lines.take(piece);
            }
            assert!(lines.has_end(), "{size}");
        }
        for cut in 0..whole.len() {
            let mut lines = Lines::default();
            lines.take(&whole[..cut]);
            assert!(!lines.has_end(), "{cut}");
        }
    }
}
