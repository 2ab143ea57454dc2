//! `sallyport dev`
//!
//! The emulator and what plays the customer are Python programs. They are in this binary, so that neither Rust nor the
//! sources are needed: they are written into the user's cache with a virtual environment, and this process becomes them.
//! They start the service as `sallyport dev-service`.

use crate::application::kept::vault::sha256;
use crate::cli::ending::Failed;
use crate::domain::origin::Origin;
use crate::settings::Options;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use url::Url;

/// What is written, and where below the program's folder.
const FILES: [(&str, &str); 9] = [
    ("demo/accounts.py", include_str!("../../demo/accounts.py")),
    (
        "demo/administrator.py",
        include_str!("../../demo/administrator.py"),
    ),
    ("demo/api.py", include_str!("../../demo/api.py")),
    ("demo/customer.py", include_str!("../../demo/customer.py")),
    ("demo/demo.py", include_str!("../../demo/demo.py")),
    (
        "demo/emulated_aws.py",
        include_str!("../../demo/emulated_aws.py"),
    ),
    (
        "demo/environment.py",
        include_str!("../../demo/environment.py"),
    ),
    ("demo/samples.py", include_str!("../../demo/samples.py")),
    ("tools/services.py", include_str!("../../tools/services.py")),
];
const REQUIREMENTS: &str = include_str!("../../tools/emulator-requirements.txt");

/// Prints Python's version. Fails with 3 where it is too old, otherwise where it cannot make virtual environments.
const LOOK_AT_PYTHON: &str = "import sys; print('.'.join(map(str, sys.version_info[:3])), flush=True); \
    sys.version_info < (3, 10) and sys.exit(3); import ensurepip, venv";
const TOO_OLD: i32 = 3;
/// How many lines of a failed installation are shown.
const SHOWN_LINES: usize = 12;

/// Start the service with an emulated AWS and sample files, to develop a product against it.
///
/// Everything listens on 127.0.0.1 and ends with Ctrl-C. The customer's account has a bucket with samples. A product
/// key, tokens and sign-in links are printed. What the customer does and breaks is a call: POST /dev/customer/apply,
/// /dev/break and /dev/repair. SALLYPORT_* variables that are set are kept.
///
/// Needs Python 3.10 or newer with venv. The first start installs the AWS emulator into the user's cache folder
/// (XDG_CACHE_HOME, or .cache in HOME), which needs the Python package index.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport dev
  sallyport dev --origin http://localhost:3000 --webhook http://127.0.0.1:3000/webhooks --data .sallyport")]
pub struct Arguments {
    /// A web origin of the product, which may embed the pages and use files from the browser. May be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = crate::cli::connection::parse(Origin::parse))]
    origin: Vec<Origin>,

    /// A URL of the product on this machine that events are sent to
    #[arg(long, value_name = "URL")]
    webhook: Option<Url>,

    /// The folder for the data, which the next start goes on with. Without it, the data is removed at the end
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// The service's port. Without it, 8080, or a free one where that is taken
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// The Python that makes the virtual environment
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
}

/// Run the service of `sallyport dev`, with its routes.
#[derive(Debug, Clone, clap::Args)]
pub struct ServiceArguments {
    /// Where the program answers that plays the customer
    #[arg(long, value_name = "URL")]
    pub helper: Url,
    #[command(flatten)]
    pub options: Options,
}

/// Prepares what is needed, and becomes the program that runs everything. Returns only where that failed.
pub async fn run(arguments: Arguments) -> Failed {
    let prepared = tokio::task::spawn_blocking(move || prepare(&arguments)).await;
    match prepared {
        Ok(Ok(mut command)) => {
            let error = command.exec();
            Failed::from(format!("Python cannot be started: {error}"))
        }
        Ok(Err(failed)) => failed,
        Err(error) => Failed::from(error.to_string()),
    }
}

/// The command that runs everything, with all that it needs in place.
fn prepare(arguments: &Arguments) -> Result<Command, Failed> {
    let version = look_at(&arguments.python)?;
    let cache = cache()?;
    fs::create_dir_all(&cache).map_err(|error| unusable(&cache, error))?;
    // Another start may be preparing the same. The lock ends with this file.
    let lock = cache.join("lock");
    let lock_file = File::create(&lock).map_err(|error| unusable(&lock, error))?;
    lock_file.lock().map_err(|error| unusable(&lock, error))?;
    let program = written(&cache)?;
    let python = installed(&cache, &arguments.python, &version)?;
    let own = std::env::current_exe()
        .map_err(|error| Failed::from(format!("this program cannot find itself: {error}")))?;
    let mut command = Command::new(python);
    // The user's own modules must not get in between.
    command
        .args(["-E", "-s"])
        .arg(program.join("demo/demo.py"))
        .arg("--binary")
        .arg(own);
    match &arguments.data {
        Some(folder) => command.arg("--data").arg(folder),
        None => command.arg("--temporary"),
    };
    if let Some(port) = arguments.port {
        command.arg("--port").arg(port.to_string());
    }
    for origin in &arguments.origin {
        command.arg("--origin").arg(origin.to_string());
    }
    if let Some(webhook) = &arguments.webhook {
        command.arg("--webhook").arg(webhook.as_str());
    }
    Ok(command)
}

/// The version of this Python, if it can be used.
fn look_at(python: &str) -> Result<String, Failed> {
    let output = match output(Command::new(python).args(["-c", LOOK_AT_PYTHON])) {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failed::from(format!(
                "`sallyport dev` needs Python 3.10 or newer for the AWS emulator, and there is no program `{python}`. Install Python, on Debian with `apt-get install python3 python3-venv`, or name it with --python"
            )));
        }
        Err(error) => {
            return Err(Failed::from(format!(
                "`{python}` cannot be started: {error}. Name another Python with --python"
            )));
        }
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(version),
        Some(TOO_OLD) => Err(Failed::from(format!(
            "`sallyport dev` needs Python 3.10 or newer, and `{python}` is {version}. Name a newer one with --python"
        ))),
        Some(_) | None => Err(Failed::from(format!(
            "`{python}` cannot make virtual environments. Install Python's `venv` and `ensurepip`, on Debian with `apt-get install python3-venv`, or name another Python with --python"
        ))),
    }
}

/// The user's folder for what can be made again.
fn cache() -> Result<PathBuf, Failed> {
    let variable = |name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let of_user = variable("XDG_CACHE_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(".cache")));
    let of_user = of_user.ok_or_else(|| {
        Failed::from(
            "there is no folder for the AWS emulator: set HOME or XDG_CACHE_HOME".to_owned(),
        )
    })?;
    Ok(of_user.join("sallyport"))
}

/// Writes the Python programs, unless exactly these are there. Gives their folder.
fn written(cache: &Path) -> Result<PathBuf, Failed> {
    let whole: String = FILES
        .iter()
        .map(|(name, text)| format!("{name}\n{text}"))
        .collect();
    let folder = cache.join(format!("dev-{}", name_of(&whole)));
    for (name, text) in FILES {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        let parent = path.parent().unwrap_or(&folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| unusable(&path, error))?;
    }
    Ok(folder)
}

/// Installs the emulator, unless exactly this one is there. Gives its Python.
fn installed(cache: &Path, python: &str, version: &str) -> Result<PathBuf, Failed> {
    let folder = cache.join(format!("emulator-{}", name_of(REQUIREMENTS)));
    let own_python = folder.join("bin/python");
    let mark = folder.join("installed-with");
    if fs::read_to_string(&mark).is_ok_and(|found| found == version) && own_python.exists() {
        return Ok(own_python);
    }
    eprintln!(
        "Installing the AWS emulator into {}, once.",
        folder.display()
    );
    let mut make = Command::new(python);
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    step("The virtual environment cannot be made", &mut make)?;
    let list = folder.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).map_err(|error| unusable(&list, error))?;
    let mut install = Command::new(&own_python);
    install
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--require-hashes"])
        .arg("--requirement")
        .arg(&list);
    step(
        "The AWS emulator cannot be installed: it comes from the Python package index, which has to be reachable",
        &mut install,
    )?;
    fs::write(&mark, version).map_err(|error| unusable(&mark, error))?;
    Ok(own_python)
}

fn step(what_failed: &str, command: &mut Command) -> Result<(), Failed> {
    let output =
        output(command).map_err(|error| Failed::from(format!("{what_failed}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.len().saturating_sub(SHOWN_LINES);
    Err(Failed::from(format!(
        "{what_failed}. It said:\n{}",
        lines[last..].join("\n")
    )))
}

fn output(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).output()
}

fn unusable(path: &Path, error: io::Error) -> Failed {
    Failed::from(format!("`{}` cannot be used: {error}", path.display()))
}

/// A name that changes with the content.
fn name_of(content: &str) -> String {
    let mut name = String::new();
    for byte in &sha256(content.as_bytes())[..8] {
        // Writing into a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_that_the_programs_import_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
        let modules = fs::read_dir(folder).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        });
        let is_embedded = |module: &str| {
            let name = format!("demo/{module}.py");
            FILES.iter().any(|(file, _)| *file == name)
        };
        for module in modules {
            let import = format!("import {module}\n");
            let from = format!("from {module} import");
            let is_imported = FILES.iter().any(|(_, text)| {
                text.contains(&import)
                    || text.contains(&from)
                    || text.contains(&format!("import {module}  #"))
            });
            assert!(!is_imported || is_embedded(&module), "{module}");
        }
        assert!(is_embedded("demo") && is_embedded("emulated_aws"));
    }

    #[test]
    fn programs_are_written_once_and_again_where_they_differ() {
        let cache = tempfile::tempdir().unwrap();
        let folder = written(cache.path()).unwrap();
        let file = folder.join("demo/demo.py");
        let right = fs::read_to_string(&file).unwrap();
        fs::write(&file, "changed").unwrap();
        assert_eq!(written(cache.path()).unwrap(), folder);
        assert_eq!(fs::read_to_string(&file).unwrap(), right);
    }

    #[test]
    fn a_python_that_is_missing_or_broken_is_named_with_what_to_do() {
        let missing = look_at("/nowhere/python9").unwrap_err();
        for part in ["Python 3.10", "/nowhere/python9", "apt-get", "--python"] {
            assert!(missing.why.contains(part), "{}", missing.why);
        }
        let broken = look_at("false").unwrap_err();
        assert!(broken.why.contains("python3-venv"), "{}", broken.why);
    }
}
