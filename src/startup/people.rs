//! The use cases about people, put together.

use crate::application::clock::Clock;
use crate::application::kept::store::Store;
use crate::application::kept::vault::Vault;
use crate::application::moving::moves::Moves;
use crate::application::observe::Observer;
use crate::application::people::admission::Admission;
use crate::application::people::allowance::Allowances;
use crate::application::people::audit::AuditLog;
use crate::application::people::authenticate::Authenticator;
use crate::application::people::browser_tokens::BrowserTokens;
use crate::application::people::in_progress::InProgress;
use crate::application::people::keys::ProductKeys;
use crate::application::people::link_rate::LinkRate;
use crate::application::people::origins::AllowedOrigins;
use crate::application::people::sign_in::SignIns;
use crate::application::people::tokens::Tokens;
use crate::application::people::usage::{Usage, UsageMeter};
use crate::application::people::workspaces::Workspaces;
use crate::http::state::PeopleServices;
use crate::settings::Settings;
use std::sync::Arc;

/// The use cases about people, put together.
pub(super) fn people(
    settings: &Settings,
    (store, vault): (&Arc<dyn Store>, &Arc<Vault>),
    clock: &Arc<dyn Clock>,
    observer: &Arc<dyn Observer>,
    (usage, allowances): (&Arc<UsageMeter>, &Arc<Allowances>),
    moves: Moves,
) -> PeopleServices {
    let workspaces = Arc::new(Workspaces {
        store: store.clone(),
        clock: clock.clone(),
    });
    let authenticator = Arc::new(Authenticator::new(
        store.clone(),
        clock.clone(),
        observer.clone(),
        usage.clone(),
        settings.operator_token.as_ref(),
        settings.operator_token_previous.as_ref(),
    ));
    let sign_ins = Arc::new(SignIns {
        store: store.clone(),
        clock: clock.clone(),
        workspaces: workspaces.clone(),
        link_lifetime: settings.sign_in_link_ttl,
        idle: settings.session_idle,
        absolute: settings.session_max,
        return_origins: settings.allowed_origins.clone(),
        rate: LinkRate::new(settings.sign_in_links_per_minute),
    });
    let browser_tokens = Arc::new(BrowserTokens::new(
        vault.clone(),
        clock.clone(),
        settings.browser_tokens_per_minute,
    ));
    PeopleServices {
        admission: Admission {
            authenticator: authenticator.clone(),
            sign_ins: sign_ins.clone(),
            workspaces: workspaces.clone(),
            browser_tokens: browser_tokens.clone(),
            allowances: allowances.clone(),
            in_progress: Arc::new(InProgress::new(settings.requests_at_once)),
        },
        authenticator,
        browser_tokens,
        keys: ProductKeys {
            store: store.clone(),
            clock: clock.clone(),
            usage: usage.clone(),
        },
        tokens: Tokens {
            store: store.clone(),
            clock: clock.clone(),
            workspaces: workspaces.clone(),
            usage: usage.clone(),
        },
        usage: Usage {
            store: store.clone(),
            clock: clock.clone(),
            meter: usage.clone(),
            workspaces: workspaces.clone(),
        },
        origins: AllowedOrigins::new(
            store.clone(),
            settings.allowed_origins.clone(),
            &settings.public_url,
        ),
        sign_ins,
        // Added afterwards, where the settings name them.
        openid: None,
        product_tokens: None,
        audit_log: AuditLog::new(store.clone(), clock.clone(), settings.audit_reads),
        workspaces,
        moves,
    }
}
