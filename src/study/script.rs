//! Owns the scripts that train a study in shards with the program that distributes the work: Slurm, PBS, GNU
//! parallel or Kubernetes. The scripts are in `script/`, with `{names}` in place of what differs. Depends on the
//! study file. Must not know the trials or the terminal.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::fmt::Write;
use std::path::Path;

use crate::error::{Error, Result};
use crate::experiment;
use crate::experiment::shipped::{STUDIES, shipped};
use crate::study::Study;

/// Program that distributes the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ScriptKind {
    /// A job array of Slurm.
    Slurm,
    /// GNU parallel, over SSH.
    Parallel,
    /// An Indexed Job of Kubernetes.
    Kubernetes,
    /// A job array of PBS.
    Pbs,
}

/// A study and the way in which a script trains its shards.
#[derive(Debug, Clone)]
pub struct ScriptRequest<'a> {
    /// The study.
    pub study: &'a Study,
    /// Its file, as the user named it, or the name of a study inside smallnet.
    pub file: &'a Path,
    /// The other options of the command, such as `--set`. Not those of threads, artifacts and shards.
    pub options: &'a [String],
    /// Folder that runs are saved in.
    pub artifacts: &'a Path,
    /// Number of shards.
    pub num_shards: usize,
    /// Number of threads of each process; as many as it gets, if none is given.
    pub threads: Option<usize>,
    /// Path of this program.
    pub program: &'a Path,
}

/// Text of the script.
///
/// # Errors
/// A timed study, which has no shards, or a base experiment that cannot be read or renamed.
pub fn script(kind: ScriptKind, request: &ScriptRequest<'_>) -> Result<String> {
    request.study.check_can_be_cut()?;
    let name = &request.study.name;
    let file = request.file.display().to_string();
    let artifacts = request.artifacts.display().to_string();
    let threads =
        |from_engine: &str| request.threads.map_or(from_engine.to_owned(), |number| number.to_string());
    let shards = request.num_shards.to_string();
    let mut values = vec![("{name}", name.clone()), ("{shards}", shards)];
    let text = match kind {
        ScriptKind::Slurm | ScriptKind::Pbs => {
            let is_slurm = kind == ScriptKind::Slurm;
            let variable = if is_slurm { "\"$SLURM_CPUS_PER_TASK\"" } else { "\"$CPUS\"" };
            values.push(("{program}", quote(&request.program.display().to_string())?));
            values.push(("{command}", command(request, &file, &artifacts, false)?));
            values.push(("{threads}", threads(variable)));
            if is_slurm { include_str!("script/slurm.sh") } else { include_str!("script/pbs.sh") }
        }
        ScriptKind::Parallel => {
            let folder = format!("smallnet-{name}");
            let files = files(request)?;
            // Every file is in the folder in which the command runs, on this machine and on the hosts.
            let here = files.first().map_or(file, |(file, _)| format!("{folder}/{file}"));
            let log_folder = format!("{artifacts}/studies/{name}");
            let bases: Vec<String> = files
                .iter()
                .map(|(file, _)| Ok(format!("--basefile {}", quote(&format!("{folder}/{file}"))?)))
                .collect::<Result<_>>()?;
            values.push(("{folder}", folder.clone()));
            values.push(("{logs}", quote(&log_folder)?));
            values.push(("{write-files}", heredocs(&folder, &files)?));
            values.push(("{basefiles}", bases.join(" ")));
            values.push(("{command}", command(request, &here, &artifacts, true)?));
            values.push((
                "{threads}",
                request.threads.map(|number| format!(" --threads {number}")).unwrap_or_default(),
            ));
            include_str!("script/parallel.sh")
        }
        ScriptKind::Kubernetes => {
            let files = files(request)?;
            let here = files.first().map_or(file, |(file, _)| format!("/study/{file}"));
            let dns = dns_name(name);
            values.push(("{config-map}", config_map(&dns, &files)));
            values.push(("{container}", container(&dns, !files.is_empty())));
            values.push(("{dns}", dns));
            values.push(("{backoff}", (6 * request.num_shards).to_string()));
            values.push(("{version}", env!("CARGO_PKG_VERSION").to_owned()));
            values.push(("{command}", command(request, &here, "/artifacts", true)?));
            values.push(("{threads}", threads("\"$CPUS\"")));
            include_str!("script/kubernetes.yaml")
        }
    };
    Ok(fill(text, &values))
}

/// Replaces each name of `values` in `template` by its value. What a value contains is left as it is.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        text += before;
        let value = values.iter().find_map(|(name, value)| Some((from.strip_prefix(name)?, value)));
        let (after, value) = value.map_or((&from[1..], "{"), |(after, value)| (after, value.as_str()));
        text += value;
        rest = after;
    }
    text + rest
}

/// The command without shards: `study FILE --artifacts DIR OPTIONS`. `is_elsewhere` says that it runs in another
/// folder, so images on a drive are named by their whole path.
fn command(request: &ScriptRequest<'_>, file: &str, artifacts: &str, is_elsewhere: bool) -> Result<String> {
    let mut words = ["study", file, "--artifacts", artifacts].map(str::to_owned).to_vec();
    words.extend(request.options.iter().cloned());
    let source = &request.study.base.data.source;
    let names_data = |word: &String| word.starts_with("--data") || word.starts_with("data.source=");
    if is_elsewhere && Path::new(source).is_absolute() && !request.options.iter().any(names_data) {
        words.extend(["--data".to_owned(), source.clone()]);
    }
    Ok(words.iter().map(|word| quote(word)).collect::<Result<Vec<_>>>()?.join(" "))
}

fn quote(word: &str) -> Result<String> {
    let quoted = shlex::try_quote(word);
    Ok(quoted
        .map_err(|error| Error::usage(format!("`{word}` cannot stand in a script: {error}")))?
        .into_owned())
}

/// Name and text of the study's file and of its base experiment's file, which the study then names by its name
/// alone. None if the study is inside smallnet.
fn files(request: &ScriptRequest<'_>) -> Result<Vec<(String, String)>> {
    if shipped(&STUDIES, request.file, "study")?.is_some() {
        return Ok(Vec::new());
    }
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (study, text) = (name(request.file), request.study.text());
    let table = experiment::parse(text, &study)?;
    let base = table.get("base").and_then(toml::Value::as_str);
    let path = base
        .map(|base| request.file.parent().unwrap_or(Path::new("")).join(base))
        .filter(|path| path.is_file());
    let Some(path) = path else { return Ok(vec![(study, text.to_owned())]) };
    let base_text =
        experiment::read_text(&path).map_err(|error| Error::io("read the base experiment", &path, error))?;
    let base = format!("base-{}", name(&path));
    let text = with_base(text, &base);
    let renamed = experiment::parse(&text, &study)?;
    if renamed.get("base").and_then(toml::Value::as_str) != Some(&base) {
        return Err(Error::config(format!(
            "the line `base = …` of `{study}` cannot be changed for other machines"
        ))
        .hint("write it on a line of its own, with double quotes"));
    }
    Ok(vec![(study, text), (base, base_text)])
}

/// The text of a study whose line `base = …` names another file.
fn with_base(text: &str, base: &str) -> String {
    let is_base = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == "base");
    let mut is_done = false;
    let lines = text.lines().map(|line| match !is_done && is_base(line) {
        true => {
            is_done = true;
            format!("base = \"{base}\"\n")
        }
        false => format!("{line}\n"),
    });
    lines.collect()
}

/// Commands that write files into `folder`.
fn heredocs(folder: &str, files: &[(String, String)]) -> Result<String> {
    let mut text = String::new();
    for (file, content) in files {
        let path = quote(&format!("{folder}/{file}"))?;
        // A content with the line `SMALLNET` would end early.
        let end = if content.lines().any(|line| line == "SMALLNET") { "END_OF_SMALLNET" } else { "SMALLNET" };
        let _ = write!(text, "cat > {path} <<'{end}'\n{}\n{end}\n", content.trim_end());
    }
    Ok(text.trim_end().to_owned())
}

/// A ConfigMap with the files, and the line that separates it from the next object.
fn config_map(name: &str, files: &[(String, String)]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let mut text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n");
    for (file, content) in files {
        let _ = writeln!(text, "  {file}: |2");
        for line in content.trim_end().lines() {
            text += format!("    {line}").trim_end();
            text.push('\n');
        }
    }
    text + "---\n"
}

/// Rest of a container and its pod: its processors and folders.
fn container(name: &str, has_files: bool) -> String {
    let mut text = "          env:
            - name: CPUS
              valueFrom:
                resourceFieldRef:
                  resource: limits.cpu
          resources:
            requests: {cpu: 2, memory: 2Gi}
            limits: {cpu: 2, memory: 2Gi}
          volumeMounts:
            - {name: artifacts, mountPath: /artifacts}\n"
        .to_owned();
    if has_files {
        text += "            - {name: study, mountPath: /study}\n";
    }
    text += "      volumes:\n";
    text += &format!("        - {{name: artifacts, persistentVolumeClaim: {{claimName: {name}}}}}");
    if has_files {
        text += &format!("\n        - {{name: study, configMap: {{name: {name}}}}}");
    }
    text
}

/// A name as Kubernetes allows it: small letters, digits and `-`, at most 50 so that a suffix fits.
fn dns_name(name: &str) -> String {
    let letters = name.chars().map(|letter| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    });
    let name: String = letters.take(50).collect();
    format!("study-{}", name.trim_matches('-'))
}
