//! `sallyport projects`

use crate::cli::connection::Output;
use crate::cli::ending::{FAILED, Failed, PASSED};
use crate::cli::server::client::{Server, ServerOptions};
use crate::cli::terminal::{json, printable, table};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::Duration;

/// How often a running import is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Projects of a workspace, over a server's API.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport projects create Cats /images/1.png /images/2.png
  sallyport projects create Cats --folder /images/ --include '**/*.png' --wait
  sallyport files ls --recursive --suffix .png --output json | jq -r '.files[].key' \\
      | sallyport projects create Cats --keys-from -
  sallyport projects ls

Exit status: 0 done; 1 not done; 2 wrong usage.")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Projects,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub enum Projects {
    Create(Box<Create>),
    Ls(Ls),
}

/// Make a project. Its files come from keys, a folder or a manifest.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport projects create Cats /images/1.png /images/2.png
  sallyport projects create Cats --folder /images/ --include '**/*.png' --wait
  sallyport projects create Cats --keys-from keys.txt --on-missing skip")]
#[command(group(clap::ArgGroup::new("source").required(true).args(["keys", "keys_from", "folder", "manifest"])))]
pub struct Create {
    /// What the project is called
    name: String,

    /// The files' keys
    #[arg(value_name = "KEY")]
    keys: Vec<String>,

    /// A file with a key on each line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    keys_from: Option<String>,

    /// Everything below this folder
    #[arg(long)]
    folder: Option<String>,

    /// Of the folder only what matches, like **/*.png; may be there several times
    #[arg(long, value_name = "GLOB", requires = "folder")]
    include: Vec<String>,

    /// Of the folder not what matches; may be there several times
    #[arg(long, value_name = "GLOB", requires = "folder")]
    exclude: Vec<String>,

    /// Of the folder also what is in the product's working folders, temp/ and export/
    #[arg(long, requires = "folder")]
    include_working_folders: bool,

    /// The key of a list of files
    #[arg(long, value_name = "KEY")]
    manifest: Option<String>,

    /// What to do about keys that are not there: fail or skip
    #[arg(long, value_name = "WHAT")]
    on_missing: Option<String>,

    /// What to do about archived files: keep, skip or fail
    #[arg(long, value_name = "WHAT")]
    on_archived: Option<String>,

    /// Wait until a large import has ended
    #[arg(long)]
    wait: bool,

    /// How to print the project: table, or json
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,

    #[command(flatten)]
    server: ServerOptions,
}

/// List the projects, newest first.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport projects ls
  sallyport projects ls --output json | jq -r '.projects[].id'")]
pub struct Ls {
    /// How to print: table, or json
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,

    #[command(flatten)]
    server: ServerOptions,
}

/// Does it, and gives the exit status.
pub async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<u8, Failed> {
    let status = match &arguments.command {
        Projects::Create(create) => create.run(out).await,
        Projects::Ls(ls) => ls.run(out).await.map(|()| PASSED),
    }?;
    out.flush()?;
    Ok(status)
}

impl Create {
    async fn run(&self, out: &mut impl Write) -> Result<u8, Failed> {
        let server = Server::of(&self.server)?;
        let body = self.body(&server)?;
        let mut project = server
            .json(Method::POST, &["v1", "projects"], &[], Some(&body))
            .await?;
        while self.wait && is_importing(&project) {
            tokio::time::sleep(LOOK).await;
            let id = project["id"].as_str().unwrap_or_default().to_owned();
            project = server
                .json(Method::GET, &["v1", "projects", &id], &[], None)
                .await?;
        }
        match self.output {
            Output::Json => writeln!(out, "{}", json(&project))?,
            Output::Table => out.write_all(table(&[row(&project)], &[2]).as_bytes())?,
        }
        let failure = &project["failure"];
        if failure.is_object() {
            let text = |name: &str| printable(failure[name].as_str().unwrap_or_default());
            eprintln!("sallyport: {} ({})", text("detail"), text("code"));
            return Ok(FAILED);
        }
        Ok(PASSED)
    }

    fn body(&self, server: &Server) -> Result<Value, Failed> {
        let mut body = json!({ "name": self.name });
        let mut keys = self.keys.clone();
        if let Some(path) = &self.keys_from {
            keys = keys_of(path)?;
        }
        if !keys.is_empty() || self.keys_from.is_some() {
            let files: Vec<Value> = keys.iter().map(|key| json!({ "file_key": key })).collect();
            body["files"] = files.into();
        }
        let texts = [
            ("storage_id", server.named_storage()),
            ("folder", self.folder.clone()),
            ("manifest_file_key", self.manifest.clone()),
            ("on_missing", self.on_missing.clone()),
            ("on_archived", self.on_archived.clone()),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                body[name] = value.into();
            }
        }
        for (name, globs) in [("include", &self.include), ("exclude", &self.exclude)] {
            if !globs.is_empty() {
                body[name] = globs.as_slice().into();
            }
        }
        if self.include_working_folders {
            body["include_working_folders"] = true.into();
        }
        Ok(body)
    }
}

fn keys_of(path: &str) -> Result<Vec<String>, Failed> {
    let mut text = String::new();
    let read = match path {
        "-" => std::io::stdin().read_to_string(&mut text),
        path => std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.map_err(|error| Failed::usage(format!("`{}` cannot be read: {error}", printable(path))))?;
    let keys = text.lines().filter(|line| !line.is_empty());
    Ok(keys.map(str::to_owned).collect())
}

fn is_importing(project: &Value) -> bool {
    !matches!(project["status"].as_str(), Some("ready" | "failed") | None)
}

impl Ls {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failed> {
        let server = Server::of(&self.server)?;
        let mut projects = Vec::new();
        let query = [("page_size", "100")];
        server
            .pages(&["v1", "projects"], &query, async |mut page| {
                if let Value::Array(entries) = page["projects"].take() {
                    projects.extend(entries);
                }
                Ok(true)
            })
            .await?;
        match self.output {
            Output::Json => writeln!(out, "{}", json(&json!({ "projects": projects })))?,
            Output::Table => {
                let rows: Vec<_> = projects.iter().map(row).collect();
                out.write_all(table(&rows, &[2]).as_bytes())?;
            }
        }
        Ok(())
    }
}

fn row(project: &Value) -> Vec<String> {
    let text = |name: &str| printable(project[name].as_str().unwrap_or_default());
    let files = project["file_count"].as_i64().unwrap_or(0);
    vec![
        text("id"),
        text("status"),
        format!("{files} files"),
        text("created_at"),
        text("name"),
    ]
}
