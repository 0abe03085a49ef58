// SPDX-License-Identifier: BSD-2-Clause
//! A UdpCoAPClient has one socket and one peer. So there is one per server and one per IP version for all
//! groups, made when they are needed. The first has the configured port; the others cannot share it.

use crate::protocol::{complain, type_text, Arguments, Event, Failure, Start};
use crate::wish::Wish;
use crate::{text, Node};
use coap::client::{ObserveMessage, UdpCoAPClient};
use coap_lite::{MessageType, Packet};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Requests whose application is still listening, and how to tell it to stop.
type Going = Arc<Mutex<HashMap<String, oneshot::Sender<&'static str>>>>;

pub struct Client {
    start: Start,
    port: u16,
    runtime: Option<Runtime>,
    servers: HashMap<SocketAddr, UdpCoAPClient>,
    groups: HashMap<bool, UdpCoAPClient>,
    going: Going,
    tasks: Vec<JoinHandle<()>>,
}

impl Client {
    pub fn new(start: Start) -> Result<Self, Failure> {
        let mut client = Client {
            port: start.port,
            start,
            runtime: None,
            servers: HashMap::new(),
            groups: HashMap::new(),
            going: Going::default(),
            tasks: Vec::new(),
        };
        client.open()?;
        Ok(client)
    }

    fn open(&mut self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| Failure::refused(e.to_string()))?;
        self.runtime = Some(runtime);
        Ok(())
    }

    /// The hosts choose the source address; the interface is the one that Chorus named.
    async fn group_client(&self, six: bool, port: u16) -> std::io::Result<UdpCoAPClient> {
        let domain = if six { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        let any = unspecified(six, port);
        socket.bind(&any.into())?;
        let hops = self.start.group_hop_limit;
        match self.start.addresses.iter().find(|a| a.is_ipv6() == six) {
            Some(IpAddr::V4(own)) => socket.set_multicast_if_v4(own)?,
            _ => socket.set_multicast_if_v6(self.start.interface)?,
        }
        if hops > 0 && six {
            socket.set_multicast_hops_v6(hops)?;
        } else if hops > 0 {
            socket.set_multicast_ttl_v4(hops)?;
        }
        // The peer is not used: groups are named for each request.
        UdpCoAPClient::new_with_std_socket(socket.into(), unspecified(six, text::PORT)).await
    }

    fn client_for(&mut self, wish: &Wish) -> Result<UdpCoAPClient, Failure> {
        let six = wish.to.is_ipv6();
        if !self.start.addresses.iter().any(|own| own.is_ipv6() == six) {
            let why = "uri: there is no own address of its family";
            return Err(Failure::refused(why.into()));
        }
        let known = if wish.group() {
            self.groups.get(&six)
        } else {
            self.servers.get(&wish.to)
        };
        if let Some(client) = known {
            return Ok(client.clone());
        }
        let runtime = self
            .runtime
            .as_ref()
            .ok_or_else(|| Failure::refused("not open".into()))?;
        let first = self.groups.is_empty() && self.servers.is_empty();
        let port = if first { self.port } else { 0 };
        let made = runtime.block_on(async {
            if wish.group() {
                return self.group_client(six, port).await;
            }
            UdpCoAPClient::new_with_specific_source(unspecified(six, port), wish.to).await
        });
        let client = made.map_err(|e| Failure::refused(format!("{}: {e}", wish.to)))?;
        if wish.group() {
            self.groups.insert(six, client.clone());
        } else {
            self.servers.insert(wish.to, client.clone());
        }
        Ok(client)
    }

    fn request(&mut self, mut wish: Wish) -> Result<(), Failure> {
        if let SocketAddr::V6(to) = &mut wish.to {
            if is_narrow(to.ip()) && to.scope_id() == 0 {
                to.set_scope_id(self.start.interface);
            }
        }
        if lock(&self.going).contains_key(&wish.id) {
            return Err(Failure::bad_argument(format!(
                "id: {} is going on",
                wish.id
            )));
        }
        let client = self.client_for(&wish)?;
        let (forget, forgotten) = oneshot::channel();
        lock(&self.going).insert(wish.id.clone(), forget);
        say_request(&wish);
        let going = self.going.clone();
        if let Some(runtime) = &self.runtime {
            self.tasks.retain(|task| !task.is_finished());
            self.tasks.push(runtime.spawn(async move {
                let detail = exchange(client, &wish, forgotten).await;
                lock(&going).remove(&wish.id);
                event("done", &wish).with("detail", detail).say();
            }));
        }
        Ok(())
    }

    /// Ends all requests; coap-rs's receivers need the runtime when they are dropped.
    fn end_all(&mut self, detail: &'static str) {
        for (_, forget) in lock(&self.going).drain() {
            let _ = forget.send(detail);
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.block_on(async {
                for task in self.tasks.drain(..) {
                    let _ = task.await;
                }
            });
            let guard = runtime.enter();
            self.servers.clear();
            self.groups.clear();
            drop(guard);
            runtime.shutdown_timeout(Duration::from_millis(500));
        }
    }

    fn restart(&mut self, port: Option<&str>) -> Result<(), Failure> {
        self.port = match port {
            Some(text) => text::number("port", text, 65535)? as u16,
            None => self.start.port,
        };
        self.end_all("restart");
        Event::new("restart").say();
        self.open()
    }
}

fn unspecified(six: bool, port: u16) -> SocketAddr {
    let any: IpAddr = if six {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    };
    SocketAddr::new(any, port)
}

/// Addresses that mean something only together with an interface.
pub fn is_narrow(ip: &Ipv6Addr) -> bool {
    let first = ip.segments()[0];
    first & 0xffc0 == 0xfe80 || first & 0xff0f == 0xff02 || first & 0xff0f == 0xff01
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

impl Node for Client {
    fn command(&mut self, verb: &str, arguments: &Arguments) -> Result<(), Failure> {
        match verb {
            "request" => self.request(Wish::new(arguments)?),
            "forget" => {
                arguments.only(&["of"])?;
                let id = arguments.needed("of")?;
                let forget = lock(&self.going).remove(id);
                forget
                    .and_then(|forget| forget.send("cancelled").ok())
                    .ok_or_else(|| {
                        Failure::bad_argument(format!("forget: there is no request {id}"))
                    })
            }
            "restart" => {
                arguments.only(&["port"])?;
                self.restart(arguments.optional("port"))
            }
            _ => Err(Failure::unsupported(format!("verb {verb:?} is not known"))),
        }
    }

    fn stop(&mut self) {
        self.end_all("stopped");
    }
}

fn event(name: &str, wish: &Wish) -> Event {
    Event::new(name)
        .with("request", &wish.id)
        .group(wish.group())
}

fn say_request(wish: &Wish) {
    let message = &wish.request.message;
    let kind = if wish.confirmable {
        MessageType::Confirmable
    } else {
        MessageType::NonConfirmable
    };
    event("request", wish)
        .with("peer", &text::endpoint_text(wish.to))
        .with("path", &wish.path)
        .with("type", type_text(kind))
        .with("code", &crate::protocol::code_text(message.header.code))
        .with("token", &text::hex(message.get_token()))
        .payload(&message.payload)
        .number("timeout_ns", wish.timeout.as_nanos() as u64)
        .say();
}

/// coap-rs tells the sender of a response only where it expects several; else it is taken for the peer.
fn deliver(wish: &Wish, from: Option<SocketAddr>, message: &Packet) {
    let peer = text::endpoint_text(from.unwrap_or(wish.to));
    event("deliver", wish)
        .with("peer", &peer)
        .message(message)
        .say();
}

/// Runs a request to its end and says how that was.
async fn exchange(
    client: UdpCoAPClient,
    wish: &Wish,
    forgotten: oneshot::Receiver<&'static str>,
) -> &'static str {
    let work = async {
        if wish.group() {
            ask_group(&client, wish).await
        } else {
            ask_server(&client, wish).await
        }
    };
    if wish.observe && !wish.group() {
        return observe(&client, wish, forgotten).await;
    }
    tokio::select! {
        detail = work => detail,
        reason = forgotten => reason.unwrap_or("cancelled"),
        () = tokio::time::sleep(wish.timeout) => "timeout",
    }
}

fn failed(wish: &Wish, why: &std::io::Error) -> &'static str {
    if why.kind() == ErrorKind::TimedOut {
        return "timeout";
    }
    event("refused", wish)
        .with("detail", &why.to_string())
        .say();
    "refused"
}

/// The request was sent, and then coap-rs gave it up.
fn broken(wish: &Wish, why: &std::io::Error) -> &'static str {
    if why.kind() == ErrorKind::TimedOut {
        return "timeout";
    }
    event("note", wish).with("detail", &why.to_string()).say();
    "failed"
}

async fn ask_group(client: &UdpCoAPClient, wish: &Wish) -> &'static str {
    let mut request = wish.request.clone();
    let mut receiver = client.create_receiver_for(&request).await;
    if let Err(why) = client.send_multicast(&mut request, &wish.to).await {
        return failed(wish, &why);
    }
    loop {
        match receiver.receive().await {
            Ok(packet) => deliver(wish, packet.address, &packet.message),
            Err(why) => return broken(wish, &why),
        }
    }
}

async fn ask_server(client: &UdpCoAPClient, wish: &Wish) -> &'static str {
    let mut client = client.clone();
    if !wish.confirmable {
        client.set_receive_timeout(wish.timeout); // else it waits for 2 s
    }
    match client.send(wish.request.clone()).await {
        Ok(response) => {
            deliver(wish, None, &response.message);
            "answered"
        }
        Err(why) => failed(wish, &why),
    }
}

async fn observe(
    client: &UdpCoAPClient,
    wish: &Wish,
    forgotten: oneshot::Receiver<&'static str>,
) -> &'static str {
    let copy = wish.clone();
    let handler = move |notification: std::io::Result<Packet>| match notification {
        Ok(message) => deliver(&copy, None, &message),
        Err(why) => complain(&format!("notification: {why}")),
    };
    let begin = tokio::time::timeout(
        wish.timeout,
        client.observe_with(wish.request.clone(), handler),
    );
    let terminate = match begin.await {
        Ok(Ok(terminate)) => terminate,
        Ok(Err(why)) => return broken(wish, &why),
        Err(_) => return "timeout",
    };
    let detail = tokio::select! {
        reason = forgotten => reason.unwrap_or("cancelled"),
        () = tokio::time::sleep(wish.timeout) => "timeout",
    };
    let _ = terminate.send(ObserveMessage::Terminate);
    detail
}
