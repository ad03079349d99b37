//! `telseg-bench`: telseg's side of the runs against its peers.
//!
//! ```text
//! telseg-bench WORKLOAD --data D --out OUT
//! ```
//! reads the `.npy` files and `params.json` in D, writes `.npy` files to OUT and prints one JSON line with the wall
//! seconds of what the workload calls fit and predict.

use std::path::PathBuf;
use std::process::ExitCode;

mod folder;
mod workloads;

use folder::{Clock, Folder};

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(line) => {
            use std::io::Write;
            match writeln!(std::io::stdout(), "{line}") {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(problem) => {
            eprintln!("telseg-bench: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> folder::Result<String> {
    let [workload, rest @ ..] = arguments else {
        return Err(format!(
            "usage: telseg-bench WORKLOAD --data D --out OUT; workloads: {}",
            workloads::names()
        )
        .into());
    };
    let option = |name: &str| -> folder::Result<PathBuf> {
        let at = rest
            .iter()
            .position(|a| a == name)
            .and_then(|i| rest.get(i + 1));
        at.map(PathBuf::from)
            .ok_or_else(|| format!("{name} FOLDER is missing").into())
    };
    let run = workloads::find(workload)?;
    let (folder, mut clock) = (
        Folder::open(option("--data")?, option("--out")?)?,
        Clock::default(),
    );
    run(&folder, &mut clock)?;
    let line = serde_json::json!({
        "workload": workload,
        "fit_s": clock.fit_s,
        "predict_s": clock.predict_s,
        "threads": rayon::current_num_threads(),
    });
    Ok(line.to_string())
}
