//! The HTTP clients of the SDK: who opens connections, which way they go, and which thread drives them.

use crate::aws::client::egress::Egress;
use crate::aws::client::endpoint_guard::GuardedResolver;
use crate::aws::client::trust::TrustedAuthorities;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, ConnectorBuilder, tls};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

/// The HTTP client that every SDK client shares, and so its pool of connections.
pub fn https_client(egress: &Egress) -> SharedHttpClient {
    let (proxy, tls) = (egress.proxy.of_sdk(), egress.trust.of_sdk());
    on_this_runtime(
        aws_smithy_http_client::Builder::new().build_with_connector_fn(
            move |settings, components| {
                connector(settings, components, proxy.clone())
                    .tls_provider(tls_provider())
                    .tls_context(tls.clone())
                    .build()
            },
        ),
    )
}

/// The HTTP client for customers' own endpoints: each connection is guarded, and none goes through a
/// proxy.
pub fn guarded_client(guard: GuardedResolver, trust: &TrustedAuthorities) -> SharedHttpClient {
    let tls = trust.of_sdk();
    on_this_runtime(
        aws_smithy_http_client::Builder::new().build_with_connector_fn(
            move |settings, components| {
                connector(settings, components, ProxyConfig::disabled())
                    .tls_provider(tls_provider())
                    .tls_context(tls.clone())
                    .build_with_resolver(guard.clone())
            },
        ),
    )
}

fn connector(
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
    proxy: ProxyConfig,
) -> ConnectorBuilder {
    let mut builder = Connector::builder().proxy_config(proxy);
    builder.set_connector_settings(settings.cloned());
    if let Some(components) = components {
        builder.set_sleep_impl(components.sleep_impl());
    }
    builder
}

fn tls_provider() -> tls::Provider {
    tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc)
}

/// Makes every call on the runtime that this is called on, however short-lived the caller's is.
///
/// A pooled connection is driven by a task of the runtime on which it was opened. Requests are served by
/// threads with a runtime each. A connection that one of them opened would stand still for all others
/// while that thread is busy, and break when it ends.
fn on_this_runtime(client: SharedHttpClient) -> SharedHttpClient {
    match Handle::try_current() {
        Ok(runtime) => SharedHttpClient::new(OnRuntime { client, runtime }),
        // No runtime yet: calls are made where they come from.
        Err(_) => client,
    }
}

#[derive(Debug)]
struct OnRuntime {
    client: SharedHttpClient,
    runtime: Handle,
}

impl HttpClient for OnRuntime {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ConnectorOnRuntime {
            connector: self.client.http_connector(settings, components),
            runtime: self.runtime.clone(),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.client.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.client.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.client.connector_metadata()
    }
}

#[derive(Debug)]
struct ConnectorOnRuntime {
    connector: SharedHttpConnector,
    runtime: Handle,
}

impl HttpConnector for ConnectorOnRuntime {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.connector.clone();
        // A caller that gives up takes its call along.
        let call = AbortOnDropHandle::new(
            self.runtime
                .spawn(async move { connector.call(request).await }),
        );
        HttpConnectorFuture::new(async move {
            match call.await {
                Ok(answer) => answer,
                // The call panicked, or its runtime ends.
                Err(error) => Err(ConnectorError::io(error.into())),
            }
        })
    }
}
