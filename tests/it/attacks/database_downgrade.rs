//! Somebody between the service and its database says that there is no TLS there, to be given the
//! password in clear.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::support::Terminal;

const PASSWORD: &str = "correct-horse";
/// What a client asks first (PostgreSQL, "Message Formats": SSLRequest).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// AuthenticationCleartextPassword.
const ASK_FOR_PASSWORD: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];

/// What the attacker answers when he is asked for TLS.
#[derive(Clone, Copy)]
enum Answer {
    No,
    /// And then no word of TLS.
    YesAndNonsense,
}

/// An address of this machine that is not the loopback one: where it would send from, or else the
/// unspecified one, which the system takes for this machine and the service for another.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let own = socket.connect("192.0.2.99:9").and_then(|()| socket.local_addr());
    let own = own.map(|address| address.ip()).ok().filter(|address| !address.is_loopback());
    own.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// Everything that one client says to the attacker after it was answered.
async fn listen(mut client: TcpStream, answer: Answer) -> Vec<u8> {
    let mut first = [0; 8];
    client.read_exact(&mut first).await.unwrap();
    assert_eq!(first, SSL_REQUEST);
    let answered: &[u8] = match answer {
        Answer::No => b"N",
        Answer::YesAndNonsense => b"Snonsense, and no TLS at all",
    };
    client.write_all(answered).await.unwrap();
    let (mut heard, mut piece) = (Vec::new(), [0; 1024]);
    while let Ok(length @ 1..) = client.read(&mut piece).await {
        heard.extend_from_slice(&piece[..length]);
        let _ = client.write_all(&ASK_FOR_PASSWORD).await;
        if contains_password(&heard) {
            break;
        }
    }
    heard
}

fn contains_password(heard: &[u8]) -> bool {
    heard.windows(PASSWORD.len()).any(|piece| piece == PASSWORD.as_bytes())
}

/// The URL of an attacker in the place of the database, and what each connection said to him.
async fn attacker(answer: Answer) -> (String, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::unbounded_channel();
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            if tell.send(listen(client, answer).await).is_err() {
                return;
            }
        }
    });
    (format!("postgres://keylend:{PASSWORD}@{address}/keylend"), told)
}

fn terminal(database_url: &str) -> Terminal {
    let mut terminal = Terminal::open();
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:9");
    terminal.export("KEYLEND_DATABASE_URL", database_url);
    terminal
}

#[tokio::test]
async fn a_server_elsewhere_that_knows_no_tls_is_not_given_the_password() {
    for answer in [Answer::No, Answer::YesAndNonsense] {
        let (url, mut told) = attacker(answer).await;
        let terminal = terminal(&url);
        let refused = terminal.run(&["serve"]).await.failed();
        let examined = terminal.run(&["doctor"]).await.ended(1);
        for said in [refused, examined] {
            assert!(said.contains("sslrootcert=PATH"), "{said}");
            assert!(said.contains("sslmode=require"), "{said}");
            assert!(!said.contains(PASSWORD), "{said}");
            let heard = told.recv().await.unwrap();
            assert!(!contains_password(&heard), "the attacker has the password");
        }
    }
}

#[tokio::test]
async fn whoever_asks_for_no_more_than_tls_if_there_is_any_gets_no_more() {
    let (url, mut told) = attacker(Answer::No).await;
    let by_name = terminal(&format!("{url}?sslmode=prefer"));
    by_name.run(&["doctor"]).await.ended(1);
    let heard = told.recv().await.unwrap();
    assert!(contains_password(&heard), "the attack does not work where it should");
}
