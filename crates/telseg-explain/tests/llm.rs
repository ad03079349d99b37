//! The chat client against servers on this machine that behave well, slowly, wrongly and rudely.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

mod operator;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use telseg_explain::llm::{ChatParams, Message, Mode, Reach};
use telseg_explain::{Author, FactSheet, Measure, Persona, PersonaParams};

/// What a server does with one request.
type Act = Box<dyn FnOnce(&mut TcpStream) + Send>;

/// A server that acts once for each request, and tells what it was asked.
fn serve(acts: Vec<Act>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    thread::spawn(move || {
        for act in acts {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let request = read_request(&mut stream);
            let _ = tell.send(request);
            act(&mut stream);
        }
    });
    (format!("http://{address}/v1"), told)
}

/// Head and body of a request.
fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0u8; 4096];
    loop {
        let n = stream.read(&mut piece).unwrap_or(0);
        bytes.extend_from_slice(&piece[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| {
                l.to_lowercase()
                    .strip_prefix("content-length:")
                    .map(|v| v.trim().to_string())
            });
            if body.len() >= length.map_or(0, |l| l.parse::<usize>().unwrap()) {
                return text;
            }
        }
        if n == 0 {
            return text;
        }
    }
}

fn answer(status: &str, headers: &str, body: &str) -> Act {
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    );
    Box::new(move |stream| {
        let _ = stream.write_all(text.as_bytes());
    })
}

fn says(content: &str) -> Act {
    let body = json!({
        "id": "1", "object": "chat.completion", "future_field": {"x": 1},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
    });
    answer("200 OK", "", &body.to_string())
}

fn quick(endpoint: &str) -> ChatParams {
    ChatParams::new(endpoint, "small")
        .with_timeout(Duration::from_millis(600))
        .with_backoff(Duration::from_millis(5))
        .with_max_wait(Duration::from_millis(50))
        .with_retries(2)
}

fn ask(params: &ChatParams) -> Result<String, String> {
    let client = params.connect().map_err(|e| e.to_string())?;
    client
        .complete(&[Message::user("hello")], None)
        .map(|r| r.content)
        .map_err(|e| e.to_string())
}

fn truth(sheet: &FactSheet) -> Value {
    let fact = sheet
        .facts
        .iter()
        .find(|f| f.measure == Measure::Mean)
        .unwrap();
    json!({ "text": format!("Their {} averages {:.2}.", fact.subject, fact.value), "facts": [fact.id] })
}

#[test]
fn a_good_server_writes_a_persona() {
    let sheet = operator::sheets().remove(0);
    let content = json!({ "sentences": [truth(&sheet)] }).to_string();
    let (endpoint, told) = serve(vec![says(&content)]);
    // A variable that the build tool sets stands for a key.
    let params = quick(&endpoint).with_key_variable("CARGO_PKG_NAME");
    let client = params.connect().unwrap();
    assert!(!format!("{client:?}").contains("\"telseg-explain\""));
    let persona = Persona::with_generator(&sheet, &client, &PersonaParams::default()).unwrap();
    assert_eq!(persona.generator_error, None);
    assert_eq!(persona.sentences.len(), 1);
    assert_eq!(persona.sentences[0].author, Author::Generator);

    let request = told.recv().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /v1/chat/completions HTTP/1.1"),
        "{head}"
    );
    assert!(
        head.to_lowercase()
            .contains("authorization: bearer telseg-explain"),
        "{head}"
    );
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["model"], "small");
    assert_eq!(body["temperature"], 0.0);
    assert_eq!(body["response_format"]["type"], "json_schema");
    assert_eq!(body["response_format"]["json_schema"]["strict"], true);
    let asked: Value =
        serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(asked["facts"].as_array().unwrap().len(), sheet.facts.len());
}

#[test]
fn a_lying_server_is_corrected_and_overruled() {
    let sheet = operator::sheets().remove(0);
    let lie =
        json!({ "sentences": [{ "text": "They adore films.", "facts": ["f2"] }] }).to_string();
    let (endpoint, told) = serve((0..3).map(|_| says(&lie)).collect());
    let client = quick(&endpoint).connect().unwrap();
    let persona = Persona::with_generator(&sheet, &client, &PersonaParams::default()).unwrap();
    assert_eq!(persona.sentences.len(), 1);
    assert_eq!(persona.sentences[0].author, Author::Grammar);
    assert_eq!((persona.rejected.len(), persona.faithfulness), (3, 0.25));
    told.recv().unwrap();
    let second = told.recv().unwrap();
    assert!(second.contains("is in no cited fact"), "{second}");
}

#[test]
fn slow_servers_are_given_up() {
    let silent = || -> Act { Box::new(|_| thread::sleep(Duration::from_secs(3))) };
    let trickle = || -> Act {
        Box::new(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
            for _ in 0..40 {
                thread::sleep(Duration::from_millis(50));
                if stream.write_all(b" ").is_err() {
                    return;
                }
            }
        })
    };
    for act in [silent(), trickle()] {
        let (endpoint, _told) = serve(vec![act]);
        let start = Instant::now();
        let problem = ask(&quick(&endpoint).with_retries(0)).unwrap_err();
        assert!(problem.contains("timeout"), "{problem}");
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }
}

#[test]
fn wrong_answers_are_named() {
    for (act, part) in [
        (
            answer(
                "404 Not Found",
                "",
                r#"{"error": {"message": "no such model"}}"#,
            ),
            "status 404: no such model",
        ),
        (
            answer("401 Unauthorized", "", ""),
            "status 401: no reason given",
        ),
        (
            answer("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
            "status 302",
        ),
        (
            answer("200 OK", "", "<html>hello</html>"),
            "its answer is no JSON",
        ),
        (
            answer("200 OK", "", r#"{"choices": null}"#),
            "it holds no choice",
        ),
        (
            answer("200 OK", "", r#"{"error": {"message": "overloaded"}}"#),
            "overloaded",
        ),
        (
            answer(
                "200 OK",
                "",
                r#"{"choices": [{"message": {"content": null}}]}"#,
            ),
            "its message is empty",
        ),
        (answer("200 OK", "", "\u{0}\u{1}"), "its answer is no JSON"),
    ] {
        let (endpoint, _told) = serve(vec![act]);
        let problem = ask(&quick(&endpoint)).unwrap_err();
        assert!(
            problem.contains(part) && problem.contains("/v1/chat/completions"),
            "{problem}"
        );
    }
}

#[test]
fn an_endpoint_without_schemas_is_asked_more_simply() {
    let refuse = || {
        answer(
            "400 Bad Request",
            "",
            r#"{"error": {"message": "response_format is not supported"}}"#,
        )
    };
    let (endpoint, told) = serve(vec![refuse(), refuse(), says("{}"), says("{}")]);
    let client = quick(&endpoint).connect().unwrap();
    let schema = json!({"type": "object"});
    let reply = client
        .complete(&[Message::user("hello")], Some(&schema))
        .unwrap();
    assert_eq!((reply.content.as_str(), reply.tries), ("{}", 3));
    let form = |request: String| -> Value {
        let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        body["response_format"]["type"].clone()
    };
    let forms: Vec<Value> = (0..3).map(|_| form(told.recv().unwrap())).collect();
    assert_eq!(
        forms,
        [json!("json_schema"), json!("json_object"), Value::Null]
    );
    // It is remembered.
    client
        .complete(&[Message::user("hello")], Some(&schema))
        .unwrap();
    assert_eq!(form(told.recv().unwrap()), Value::Null);
}

#[test]
fn rude_servers_are_tried_again_within_limits() {
    let hang_up = || -> Act { Box::new(drop_connection) };
    let half = || -> Act {
        Box::new(|stream| {
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"choices\"");
        })
    };
    let busy = |headers: &str| {
        answer(
            "429 Too Many Requests",
            headers,
            r#"{"error": "slow down"}"#,
        )
    };
    let (endpoint, _told) = serve(vec![hang_up(), busy("retry-after: 0\r\n"), says("at last")]);
    assert_eq!(ask(&quick(&endpoint)), Ok("at last".into()));
    let (endpoint, _told) = serve(vec![
        half(),
        answer("503 Service Unavailable", "", ""),
        says("at last"),
    ]);
    assert_eq!(ask(&quick(&endpoint)), Ok("at last".into()));

    let (endpoint, _told) = serve(vec![busy(""), busy(""), busy("")]);
    let problem = ask(&quick(&endpoint)).unwrap_err();
    assert!(
        problem.ends_with("status 429: slow down (3 tries)"),
        "{problem}"
    );
    let (endpoint, _told) = serve(vec![busy("retry-after: 3600\r\n")]);
    let start = Instant::now();
    let problem = ask(&quick(&endpoint)).unwrap_err();
    assert!(
        problem.contains("it asks to wait 3600 s, longer than max_wait"),
        "{problem}"
    );
    assert!(start.elapsed() < Duration::from_secs(1));

    let flood: Act = Box::new(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        while stream.write_all(&[b' '; 65536]).is_ok() {}
    });
    let (endpoint, _told) = serve(vec![flood]);
    let problem = ask(&quick(&endpoint)
        .with_max_bytes(100_000)
        .with_timeout(Duration::from_secs(5)))
    .unwrap_err();
    assert!(
        problem.contains("longer than max_bytes, 100000 bytes"),
        "{problem}"
    );
}

fn drop_connection(stream: &mut TcpStream) {
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

fn events(lines: &[&str]) -> Act {
    let body: String = lines.iter().map(|l| format!("{l}\n\n")).collect();
    Box::new(move |stream| {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        for piece in body.as_bytes().chunks(7) {
            let _ = stream.write_all(piece);
            let _ = stream.flush();
        }
    })
}

#[test]
fn streams_come_piece_by_piece() {
    let piece = |text: &str| {
        format!(
            r#"data: {{"choices": [{{"delta": {{"content": "{text}"}}, "finish_reason": null}}]}}"#
        )
    };
    let (first, second) = (piece("Da"), piece("ta \u{20ac}"));
    let whole = [
        ": keep-alive",
        r#"data: {"choices": [{"delta": {"role": "assistant", "content": null}}]}"#,
        &first,
        &second,
        r#"data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}"#,
        r#"data: {"choices": null, "usage": {"total_tokens": 5}}"#,
        "data: [DONE]",
    ];
    // The first connection breaks in the middle; the second holds.
    let (endpoint, told) = serve(vec![events(&whole[..3]), events(&whole)]);
    let client = quick(&endpoint).with_mode(Mode::Stream).connect().unwrap();
    let mut heard = Vec::new();
    let mut hear = |piece: &str| heard.push(piece.to_string());
    let reply = client
        .complete_with(&[Message::user("hello")], None, &mut hear)
        .unwrap();
    assert_eq!((reply.content.as_str(), reply.tries), ("Data \u{20ac}", 2));
    assert_eq!(heard, ["Da", "Da", "ta \u{20ac}"]);
    assert!(told.recv().unwrap().contains("\"stream\":true"));

    for (line, part) in [
        (
            "data: {\"error\": {\"message\": \"out of memory\"}}",
            "out of memory",
        ),
        ("data: {oops", "an event cannot be read"),
        (
            r#"data: {"choices": [{"delta": {"content": "x"}, "finish_reason": "length"}]}"#,
            "cut off at max_tokens",
        ),
        ("data: [DONE]", "its message is empty"),
    ] {
        let (endpoint, _told) = serve(vec![events(&[line])]);
        let problem = ask(&quick(&endpoint).with_mode(Mode::Stream)).unwrap_err();
        assert!(problem.contains(part), "{problem}");
    }
    let flood: Act = Box::new(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ndata: ");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let (endpoint, _told) = serve(vec![flood]);
    let params = quick(&endpoint)
        .with_mode(Mode::Stream)
        .with_max_bytes(100_000)
        .with_timeout(Duration::from_secs(5));
    let problem = ask(&params).unwrap_err();
    assert!(problem.contains("longer than max_bytes"), "{problem}");
}

#[test]
fn nobody_there_means_the_grammar() {
    let endpoint = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/v1", listener.local_addr().unwrap())
    };
    let client = quick(&endpoint).connect().unwrap();
    let sheet = operator::sheets().remove(0);
    let persona = Persona::with_generator(&sheet, &client, &PersonaParams::default()).unwrap();
    assert!(persona.generator_error.unwrap().contains("(3 tries)"));
    assert!(
        persona.sentences.len() > 3
            && persona
                .sentences
                .iter()
                .all(|s| s.author == Author::Grammar)
    );
}

#[test]
fn bad_parameters_name_themselves() {
    let good = ChatParams::new("http://localhost:8080/v1", "small");
    assert!(good.validate().is_ok());
    let refuse = |p: ChatParams| p.connect().unwrap_err().to_string();
    for (endpoint, part) in [
        ("http://10.0.0.3:8080/v1", "10.0.0.3 is not this machine"),
        ("http://127.0.0.1@example.com/v1", "must be like"),
        ("http://127.0.0.1.example.com/v1", "is not this machine"),
        ("ftp://127.0.0.1/v1", "must be like"),
        ("127.0.0.1:8080", "must be like"),
        ("", "must be like"),
    ] {
        let problem = refuse(ChatParams::new(endpoint, "small"));
        assert!(
            problem.starts_with("endpoint: ") && problem.contains(part),
            "{problem}"
        );
    }
    assert!(
        ChatParams::new("http://[::1]:80/v1", "small")
            .validate()
            .is_ok()
    );
    assert!(
        ChatParams::new("http://10.0.0.3/v1", "s")
            .with_reach(Reach::Anywhere)
            .validate()
            .is_ok()
    );
    assert_eq!(
        refuse(good.clone().with_temperature(f64::NAN)),
        "temperature: must be 0 to 2, found NaN"
    );
    assert_eq!(
        refuse(good.clone().with_max_tokens(0)),
        "max_tokens: must be at least 1, found 0"
    );
    let unset = refuse(good.with_key_variable("TELSEG_NO_SUCH_KEY"));
    assert_eq!(
        unset,
        "key_variable: the environment holds no TELSEG_NO_SUCH_KEY"
    );
}
