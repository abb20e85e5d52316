//! Networks in settings: those of trusted proxies, and private ones in which webhook endpoints are allowed.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

/// A network, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

/// Why a text is no such network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// It does not have the form.
    #[error("must be addresses or networks such as 10.0.0.7,2001:db8:1::/64, separated by commas")]
    Malformed,
    /// An address of IPv4 in the clothes of IPv6; none is ever compared in that form.
    #[error("must be written as a network of IPv4")]
    Mapped,
    /// It would leave nothing out.
    #[error("would name every address there is")]
    Everybody,
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let text = text.trim();
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse().map_err(|_| InvalidNetwork::Malformed)?,
        };
        if network.addr().to_canonical() != network.addr() {
            return Err(InvalidNetwork::Mapped);
        }
        if network.prefix_len() == 0 { Err(InvalidNetwork::Everybody) } else { Ok(Self(network)) }
    }
}

/// Some networks; by default there are none. Clones are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Arc<[Network]>);

impl Networks {
    /// Whether this address is in one of them, which must be canonical ([`IpAddr::to_canonical`]).
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|Network(network)| network.contains(&address))
    }
}

impl Networks {
    /// Each of them.
    #[must_use]
    pub fn networks(&self) -> Vec<IpNet> {
        self.0.iter().map(|Network(network)| *network).collect()
    }
}

impl From<Vec<Network>> for Networks {
    fn from(networks: Vec<Network>) -> Self {
        Self(networks.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_single_addresses_of_both_families_are_understood() {
        let proxies = "10.1.2.3/8, 192.0.2.7,2001:db8:1::/48,::1".split(',');
        let networks: Result<Vec<Network>, _> = proxies.map(str::parse).collect();
        let proxies = Networks::from(networks.unwrap());
        for (address, is_proxy) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:1:2::3", true),
            ("2001:db8:2::3", false),
            ("::1", true),
        ] {
            assert_eq!(proxies.contains(address.parse().unwrap()), is_proxy, "{address}");
        }
        assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_names_no_proxy_is_refused_with_the_reason() {
        for (text, why) in [
            ("", InvalidNetwork::Malformed),
            ("proxy.example", InvalidNetwork::Malformed),
            ("10.0.0.0/33", InvalidNetwork::Malformed),
            ("::ffff:10.0.0.0/104", InvalidNetwork::Mapped),
            ("0.0.0.0/0", InvalidNetwork::Everybody),
            ("::/0", InvalidNetwork::Everybody),
        ] {
            assert_eq!(text.parse::<Network>(), Err(why), "{text}");
        }
    }
}
