//! The report in a real browser: it loads alone, is silent, and fits a wide screen and a phone.
//!
//! Needs Chromium or Chrome, found in `$CHROME` or on the path; says so and passes without one.

#![allow(clippy::unwrap_used)]

mod report_fixture;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use report_fixture::{large, report, simulated, sparse};

fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("CHROME").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let places =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = named.into_iter().chain(places).find(|p| p.is_file());
    if found.is_none() {
        eprintln!("skipped: no browser");
    }
    found
}

/// The DOM of a page once it has loaded, and what the browser logged.
fn load(browser: &Path, page: &Path, proxy: Option<u16>) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(browser);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--disable-default-apps",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=4000",
            "--window-size=1400,2000",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--dump-dom");
    if let Some(port) = proxy {
        command.arg(format!("--proxy-server=127.0.0.1:{port}"));
        command.arg("--proxy-bypass-list=<-loopback>");
    }
    let url = format!("file://{}", page.display());
    let Output {
        stdout,
        stderr,
        status,
    } = command.arg(url).output().unwrap();
    let log = String::from_utf8_lossy(&stderr).into_owned();
    assert!(status.success(), "{log}");
    (String::from_utf8_lossy(&stdout).into_owned(), log)
}

fn console(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect()
}

fn kept(name: &str, html: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, html).unwrap();
    path
}

/// Stands in for the network: writes down what it is asked for and answers nothing.
struct Listener {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&asked);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut line = String::new();
                let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
                let _ = BufReader::new(stream).read_line(&mut line);
                list.lock().unwrap().push(line);
            }
        });
        Self { port, asked }
    }

    /// Requests other than those that the browser makes for itself on any page.
    fn asked(&self) -> Vec<String> {
        let all = self.asked.lock().unwrap();
        all.iter()
            .filter(|line| !of_the_browser(line))
            .cloned()
            .collect()
    }
}

/// Whether a request line asks one of the services of the browser's maker: updates, accounts,
/// time. What pages load from there (fonts, analytics) is not among them.
fn of_the_browser(line: &str) -> bool {
    let url = line.split(' ').nth(1).unwrap_or_default();
    let host = url
        .strip_prefix("http://")
        .unwrap_or(url)
        .split(['/', ':'])
        .next();
    let host = host.unwrap_or_default();
    let services = [".google.com", ".googleapis.com", ".gvt1.com"];
    services.iter().any(|s| host.ends_with(s))
        && !["fonts.", "ajax.", "www."]
            .iter()
            .any(|p| host.starts_with(p))
}

#[test]
fn asks_the_network_for_nothing_and_logs_nothing() {
    let Some(browser) = browser() else { return };
    // First that a page which does ask is noticed; else silence would prove nothing.
    let listener = Listener::start();
    let chatty = kept(
        "chatty.html",
        "<!DOCTYPE html><img src='http://example.invalid/x.png'><script>console.error('x')</script>",
    );
    let (_, log) = load(&browser, &chatty, Some(listener.port));
    let heard = listener
        .asked()
        .iter()
        .any(|line| line.contains("example.invalid"));
    assert!(
        heard,
        "the listener hears a page that loads a picture: {:?}",
        listener.asked()
    );
    assert!(
        !console(&log).is_empty(),
        "the log holds console errors: {log}"
    );

    let listener = Listener::start();
    let page = kept("report.html", &report().to_html());
    let (dom, log) = load(&browser, &page, Some(listener.port));
    assert_eq!(listener.asked(), Vec::<String>::new());
    assert_eq!(console(&log), Vec::<&str>::new());
    for id in [
        "summary", "segments", "model", "drivers", "quality", "making",
    ] {
        assert!(dom.contains(&format!("<section id=\"{id}\"")), "{id}");
    }
    assert!(dom.contains("New on fibre, month to month"));
}

/// A page that shows the report in frames of several widths and writes down what it measures.
fn measuring(html: &str) -> String {
    let inner = html.replace('&', "&amp;").replace('"', "&quot;");
    let mut page = String::from("<!DOCTYPE html><title>measures</title><body>");
    for width in [1280, 360] {
        page += &format!("<iframe width={width} height=1500 srcdoc=\"{inner}\"></iframe>");
    }
    page + r#"<pre id=out></pre><script>
onload = () => {
  const out = [];
  for (const frame of document.querySelectorAll('iframe')) {
    const doc = frame.contentDocument, root = doc.documentElement, width = frame.clientWidth;
    const say = (what) => out.push(`${frame.width}: ${what}`);
    const loads = frame.contentWindow.performance.getEntriesByType('resource').length;
    say(`loads ${loads} resources`);
    say(`scrolls ${root.scrollWidth > width ? 'to ' + root.scrollWidth : 'not'}`);
    for (const s of doc.querySelectorAll('section')) {
      const box = s.getBoundingClientRect();
      if (box.height > 40 && box.width > 200 && s.innerText.trim().length > 20) say(`shows ${s.id}`);
    }
    for (const e of doc.querySelectorAll('body *')) {
      if (e.closest('.hidden, .skip, .scroll, svg, details:not([open]) > :not(summary), .theme, thead')) continue;
      if (e.getBoundingClientRect().right > width + 1) say(`sticks out ${e.tagName}.${e.className}`);
    }
    for (const t of doc.querySelectorAll('svg.plot text')) {
      const box = t.getBoundingClientRect(), svg = t.ownerSVGElement.getBoundingClientRect();
      if (box.left < svg.left - 4 || box.right > svg.right + 4) say(`cut off ${t.textContent}`);
    }
    const ink = () => getComputedStyle(doc.body).backgroundColor;
    const colours = ['light', 'dark'].map((t) => (doc.getElementById('theme-' + t).click(), ink()));
    say(`light ${colours[0]} dark ${colours[1]}`);
    doc.querySelectorAll('details').forEach((d) => { d.open = true; });
    say(`unfolded ${root.scrollWidth > width ? 'to ' + root.scrollWidth : 'fits'}`);
  }
  document.getElementById('out').textContent = 'MEASURED\n' + out.join('\n') + '\nEND';
};
</script>"#
}

#[test]
fn fits_a_wide_screen_and_a_phone_by_day_and_by_night() {
    let Some(browser) = browser() else { return };
    let start = Instant::now();
    for (name, report) in [
        ("full", report()),
        ("simulated", simulated()),
        ("sparse", sparse()),
        ("large", large()),
    ] {
        kept(&format!("report-{name}.html"), &report.to_html());
        let page = kept(
            &format!("measure-{name}.html"),
            &measuring(&report.to_html()),
        );
        let (dom, _) = load(&browser, &page, None);
        let out = dom
            .split_once(">MEASURED\n")
            .and_then(|(_, rest)| rest.split_once("\nEND"));
        let (out, _) = out.unwrap_or_else(|| panic!("{name}: nothing was measured"));
        let problem = |line: &&str| line.contains("sticks out") || line.contains("cut off");
        let problems: Vec<_> = out.lines().filter(problem).take(12).collect();
        assert!(problems.is_empty(), "{name}: {problems:#?}");
        for width in [1280, 360] {
            let mut expected = vec![
                format!("{width}: scrolls not"),
                format!("{width}: unfolded fits"),
            ];
            expected.push(format!("{width}: loads 0 resources"));
            expected.push(format!(
                "{width}: light rgb(247, 247, 244) dark rgb(20, 23, 26)"
            ));
            for id in [
                "summary", "segments", "model", "drivers", "quality", "making",
            ] {
                expected.push(format!("{width}: shows {id}"));
            }
            for line in expected {
                assert!(
                    out.lines().any(|l| l == line),
                    "{name}: no line {line:?} in\n{out}"
                );
            }
        }
    }
    assert!(start.elapsed() < Duration::from_secs(120));
}
