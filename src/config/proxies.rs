//! The proxies between clients and the service whose word about a client's address is believed.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

/// A network of proxies, or one proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyNetwork(IpNet);

/// Why a text is not a network of proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxyNetwork {
    /// It does not have the form.
    #[error("must be addresses or networks such as 10.0.0.7,2001:db8:1::/64, separated by commas")]
    Malformed,
    /// An address of IPv4 in the clothes of IPv6; none is ever compared in that form.
    #[error("must be written as a network of IPv4")]
    Mapped,
    /// Anybody could say that they are anybody.
    #[error("would trust every address there is")]
    Everybody,
}

impl FromStr for ProxyNetwork {
    type Err = InvalidProxyNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidProxyNetwork> {
        let text = text.trim();
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse().map_err(|_| InvalidProxyNetwork::Malformed)?,
        };
        if network.addr().to_canonical() != network.addr() {
            return Err(InvalidProxyNetwork::Mapped);
        }
        if network.prefix_len() == 0 {
            Err(InvalidProxyNetwork::Everybody)
        } else {
            Ok(Self(network))
        }
    }
}

/// All trusted proxies; by default there are none. Clones are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[ProxyNetwork]>);

impl TrustedProxies {
    /// Whether a proxy has this address, which must be canonical ([`IpAddr::to_canonical`]).
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|ProxyNetwork(network)| network.contains(&address))
    }
}

impl From<Vec<ProxyNetwork>> for TrustedProxies {
    fn from(networks: Vec<ProxyNetwork>) -> Self {
        Self(networks.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_single_addresses_of_both_families_are_understood() {
        let proxies = "10.1.2.3/8, 192.0.2.7,2001:db8:1::/48,::1".split(',');
        let networks: Result<Vec<ProxyNetwork>, _> = proxies.map(str::parse).collect();
        let proxies = TrustedProxies::from(networks.unwrap());
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
        assert!(!TrustedProxies::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_names_no_proxy_is_refused_with_the_reason() {
        for (text, why) in [
            ("", InvalidProxyNetwork::Malformed),
            ("proxy.example", InvalidProxyNetwork::Malformed),
            ("10.0.0.0/33", InvalidProxyNetwork::Malformed),
            ("::ffff:10.0.0.0/104", InvalidProxyNetwork::Mapped),
            ("0.0.0.0/0", InvalidProxyNetwork::Everybody),
            ("::/0", InvalidProxyNetwork::Everybody),
        ] {
            assert_eq!(text.parse::<ProxyNetwork>(), Err(why), "{text}");
        }
    }
}
