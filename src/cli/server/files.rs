//! `sallyport files`

use crate::cli::connection::Output;
use crate::cli::ending::{FAILED, Failed, PASSED};
use crate::cli::server::client::{Server, ServerOptions, reason};
use crate::cli::server::upload::Upload;
use crate::cli::terminal::{json, printable};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, IF_NONE_MATCH};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// How many files one request deletes or signs.
const BATCH: usize = 1000;

/// Files of a storage, over a server's API.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  export SALLYPORT_SERVER=https://sallyport.example.com SALLYPORT_TOKEN=spt_...
  sallyport files ls /images/
  sallyport files ls --recursive --glob '**/*.png' --output json | jq -r '.files[].key'
  sallyport files put report.pdf /reports/2026.pdf
  tar c folder | sallyport files put - /backup.tar
  sallyport files cat /reports/2026.pdf > report.pdf
  sallyport files sign /reports/2026.pdf --expires-in 3600
  sallyport files rm /old.txt /older.txt --storage sto_019a1f0e7c1b7d439a520c8c2f6f6b1e

Exit status: 0 done; 1 not done, or not all of it; 2 wrong usage.")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Files,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub enum Files {
    Ls(Ls),
    Cat(Cat),
    Put(Put),
    Rm(Rm),
    Sign(Sign),
    Cp(Cp),
}

/// List a folder.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport files ls /images/
  sallyport files ls --recursive --suffix .png --limit 100")]
pub struct Ls {
    /// The folder, like /images/
    #[arg(default_value = "/")]
    folder: String,

    /// List what lies in sub-folders too, instead of their names
    #[arg(long, short)]
    recursive: bool,

    /// Only files whose path below the folder matches, like **/*.png
    #[arg(long)]
    glob: Option<String>,

    /// Only files whose key ends so, like .png
    #[arg(long)]
    suffix: Option<String>,

    /// List so many entries at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,

    /// How to print: table, or json
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,

    #[command(flatten)]
    server: ServerOptions,
}

/// Print a file's bytes, as they are.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport files cat /reports/2026.pdf > report.pdf")]
pub struct Cat {
    /// The file's key, like /images/cat.png
    key: String,

    /// That version of it
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,

    #[command(flatten)]
    server: ServerOptions,
}

/// Store a file, in place of one with the same key.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport files put report.pdf /reports/2026.pdf
  tar c folder | sallyport files put - /backup.tar --if-absent")]
pub struct Put {
    /// The file to send; `-` is standard input
    file: String,

    /// The key to store it under. One that ends in / gets the file's name
    key: String,

    /// The file's type. Without it, the key's ending decides
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,

    /// Store it only where there is no file with this key
    #[arg(long)]
    if_absent: bool,

    /// How to print what was stored: table, or json
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,

    #[command(flatten)]
    server: ServerOptions,
}

/// Delete files. One that is not there is as good as deleted.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport files rm /old.txt /older.txt")]
pub struct Rm {
    /// The files' keys
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,

    /// How to print what was deleted: table, or json
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,

    #[command(flatten)]
    server: ServerOptions,
}

/// Sign URLs: whoever has one may use the file until it ends.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport files sign /reports/2026.pdf --expires-in 3600
  sallyport files sign /logs/a.txt --range bytes=0-99
  sallyport files sign /upload.bin --method PUT --content-type application/octet-stream")]
pub struct Sign {
    /// The files' keys
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,

    /// What the URL is for: GET, HEAD, PUT or DELETE
    #[arg(long, default_value = "GET")]
    method: String,

    /// For how many seconds. It may end earlier, when the AWS session ends
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,

    /// The type of the answer, or, with PUT, of the upload
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,

    /// Make it a download under this name
    #[arg(long, value_name = "NAME")]
    download_name: Option<String>,

    /// The one range of bytes that the URL is good for, like bytes=0-99
    #[arg(long)]
    range: Option<String>,

    /// How to print: table, a URL on each line; or json, as the API answers
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,

    #[command(flatten)]
    server: ServerOptions,
}

/// Copy a file within the storage.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport files cp /reports/2026.pdf /archive/2026.pdf --if-absent")]
pub struct Cp {
    from: String,
    to: String,

    /// Copy it only where there is no file at the target
    #[arg(long)]
    if_absent: bool,

    /// How to print what was stored: table, or json
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,

    #[command(flatten)]
    server: ServerOptions,
}

/// Does it, and gives the exit status.
pub async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<u8, Failed> {
    let status = match &arguments.command {
        Files::Ls(ls) => ls.run(out).await.map(|()| PASSED),
        Files::Cat(cat) => cat.run(out).await.map(|()| PASSED),
        Files::Put(put) => put.run(out).await.map(|()| PASSED),
        Files::Rm(rm) => rm.run(out).await,
        Files::Sign(sign) => sign.run(out).await.map(|()| PASSED),
        Files::Cp(cp) => cp.run(out).await.map(|()| PASSED),
    }?;
    out.flush()?;
    Ok(status)
}

/// Borrows a path's segments.
fn borrowed(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

impl Ls {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failed> {
        let server = Server::of(&self.server)?;
        let path = server.storage_path(&["files"]).await?;
        let mut query = vec![("folder", self.folder.as_str()), ("page_size", "1000")];
        if self.recursive {
            query.push(("recursive", "true"));
        }
        query.extend(self.glob.as_deref().map(|glob| ("glob", glob)));
        query.extend(self.suffix.as_deref().map(|suffix| ("suffix", suffix)));
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        let mut folder = Value::from(self.folder.as_str());
        let mut left = self.limit.unwrap_or(usize::MAX);
        server
            .pages(&borrowed(&path), &query, async |mut page| {
                folder = page["folder"].take();
                for (name, all) in [("folders", &mut folders), ("files", &mut files)] {
                    let Value::Array(entries) = page[name].take() else {
                        continue;
                    };
                    for entry in entries.into_iter().take(left) {
                        left -= 1;
                        match self.output {
                            Output::Table => writeln!(out, "{}", row(&entry))?,
                            Output::Json => all.push(entry),
                        }
                    }
                }
                Ok(left > 0)
            })
            .await?;
        if self.output == Output::Json {
            let found = json!({"folder": folder, "folders": folders, "files": files});
            writeln!(out, "{}", json(&found))?;
        }
        Ok(())
    }
}

/// Size, time and key, in columns that fit nearly every file: a list is printed while it comes.
fn row(entry: &Value) -> String {
    let size = entry["size"]
        .as_i64()
        .map_or_else(|| "folder".to_owned(), |size| size.to_string());
    let time = entry["last_modified"].as_str().unwrap_or_default();
    let key = printable(entry["key"].as_str().unwrap_or_default());
    let note = match entry["usable"] == false {
        true => "  (no file key can name it)",
        false => "",
    };
    format!("{size:>14}  {:<20}  {key}{note}", printable(time))
}

impl Cat {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failed> {
        let server = Server::of(&self.server)?;
        let path = server.storage_path(&["files", "content"]).await?;
        let mut query = vec![("key", self.key.as_str())];
        query.extend(self.version_id.as_deref().map(|id| ("version_id", id)));
        let request = server.request(Method::GET, &borrowed(&path), &query);
        let mut answer = server.send(request).await?;
        loop {
            let piece = answer.chunk().await.map_err(|error| {
                Failed::from(format!(
                    "the file broke off; what was printed is a part of it: {}",
                    reason(error)
                ))
            })?;
            match piece {
                Some(piece) => out.write_all(&piece)?,
                None => return Ok(()),
            }
        }
    }
}

impl Put {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failed> {
        let key = self.key()?;
        let server = Server::of(&self.server)?;
        let upload = Upload::open(&self.file).map_err(|error| {
            let file = printable(&self.file);
            Failed::usage(format!("`{file}` cannot be read: {error}"))
        })?;
        let path = server.storage_path(&["files", "content"]).await?;
        let mut request = server.request(Method::PUT, &borrowed(&path), &[("key", &key)]);
        if let Some(of) = &self.content_type {
            request = request.header(CONTENT_TYPE, of);
        }
        if self.if_absent {
            request = request.header(IF_NONE_MATCH, "*");
        }
        // Said here, because a body of no bytes has none otherwise.
        if let Some(size) = upload.size {
            request = request.header(CONTENT_LENGTH, size);
        }
        let request = request.body(reqwest::Body::wrap(upload));
        let stored = crate::cli::server::client::json_of(server.send(request).await?).await?;
        print_stored(&stored, self.output, out)
    }

    fn key(&self) -> Result<String, Failed> {
        if !self.key.ends_with('/') {
            return Ok(self.key.clone());
        }
        let name = match self.file.as_str() {
            "-" => None,
            file => Path::new(file).file_name().and_then(|name| name.to_str()),
        };
        let name = name.ok_or_else(|| {
            Failed::usage("a key that ends in / needs a file with a name: name the whole key")
        })?;
        Ok(format!("{}{name}", self.key))
    }
}

/// What was stored, in a line.
fn print_stored(stored: &Value, output: Output, out: &mut impl Write) -> Result<(), Failed> {
    match output {
        Output::Json => writeln!(out, "{}", json(stored))?,
        Output::Table => {
            let key = printable(stored["key"].as_str().unwrap_or_default());
            match stored["size"].as_u64() {
                Some(size) => writeln!(out, "stored {key} ({size} bytes)")?,
                None => writeln!(out, "stored {key}")?,
            }
        }
    }
    Ok(())
}

impl Rm {
    async fn run(&self, out: &mut impl Write) -> Result<u8, Failed> {
        let server = Server::of(&self.server)?;
        let path = server.storage_path(&["files", "delete"]).await?;
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for keys in self.keys.chunks(BATCH) {
            let body = json!({ "keys": keys });
            let mut answer = server
                .json(Method::POST, &borrowed(&path), &[], Some(&body))
                .await?;
            for (name, all) in [("deleted", &mut deleted), ("errors", &mut errors)] {
                if let Value::Array(entries) = answer[name].take() {
                    all.extend(entries);
                }
            }
        }
        let status = if errors.is_empty() { PASSED } else { FAILED };
        match self.output {
            Output::Json => {
                let done = json!({"deleted": deleted, "errors": errors});
                writeln!(out, "{}", json(&done))?;
            }
            Output::Table => {
                for key in deleted.iter().filter_map(Value::as_str) {
                    writeln!(out, "deleted {}", printable(key))?;
                }
                for error in &errors {
                    let text = |name: &str| printable(error[name].as_str().unwrap_or_default());
                    writeln!(
                        out,
                        "NOT deleted {}: {} ({})",
                        text("key"),
                        text("detail"),
                        text("code")
                    )?;
                }
            }
        }
        Ok(status)
    }
}

impl Sign {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failed> {
        let server = Server::of(&self.server)?;
        let path = server.storage_path(&["files", "sign"]).await?;
        let mut urls = Vec::new();
        for keys in self.keys.chunks(BATCH) {
            let mut body = json!({"keys": keys, "method": self.method.to_uppercase()});
            let texts = [
                ("content_type", &self.content_type),
                ("download_name", &self.download_name),
                ("range", &self.range),
            ];
            for (name, value) in texts {
                if let Some(value) = value {
                    body[name] = value.as_str().into();
                }
            }
            if let Some(seconds) = self.expires_in {
                body["expires_in"] = seconds.into();
            }
            let mut answer = server
                .json(Method::POST, &borrowed(&path), &[], Some(&body))
                .await?;
            if let Value::Array(signed) = answer["urls"].take() {
                urls.extend(signed);
            }
        }
        match self.output {
            Output::Json => writeln!(out, "{}", json(&json!({ "urls": urls })))?,
            Output::Table => {
                for signed in &urls {
                    // Signed URLs are ASCII; a server that is none of ours may send anything.
                    writeln!(
                        out,
                        "{}",
                        printable(signed["url"].as_str().unwrap_or_default())
                    )?;
                }
                self.say_headers(&urls);
            }
        }
        Ok(())
    }

    /// Headers that a URL does not work without: beside the URLs, which programs read.
    fn say_headers(&self, urls: &[Value]) {
        let headers = urls
            .first()
            .and_then(|signed| signed["headers"].as_object());
        for (name, value) in headers.into_iter().flatten() {
            let value = printable(value.as_str().unwrap_or_default());
            eprintln!("The request must carry: {}: {value}", printable(name));
        }
    }
}

impl Cp {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failed> {
        let server = Server::of(&self.server)?;
        let path = server.storage_path(&["files", "copy"]).await?;
        let body = json!({"from": self.from, "to": self.to, "if_none_match": self.if_absent});
        let stored = server
            .json(Method::POST, &borrowed(&path), &[], Some(&body))
            .await?;
        print_stored(&stored, self.output, out)
    }
}
