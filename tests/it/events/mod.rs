//! Events: the feed, and the webhooks that they are sent to.

mod delivery;
mod feed;
mod pages;
mod receiver;
mod webhooks;
