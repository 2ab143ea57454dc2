//! What a store of the tests does otherwise than Amazon S3.

use crate::it::support::aws::wire::{Reply, Request};
use std::sync::Arc;

/// Answers a request otherwise.
type Rule = dyn Fn(&Request) -> Option<Reply> + Send + Sync;

/// One deviation. A store has any number of them. The first that concerns an answer decides it.
#[derive(Clone)]
pub enum Behaviour {
    /// Every listing has the first keys, so many, says that there is more, and brings the same token.
    SamePageForEver(usize),
    /// The same page, each time with another token.
    SamePageOtherTokens(usize),
    /// The first and the second page of so many keys, in turn, with a token each.
    TwoPagesInTurn(usize),
    /// A listing has so many keys at most, whatever is asked.
    PagesOf(usize),
    StartAfterIgnored,
    /// Every listing says that there is more, and brings no token.
    TruncatedWithoutToken,
    /// Every listing is complete, and brings a token.
    TokenWithoutTruncation,
    /// No listing says whether there is more.
    TruncationUnsaid,
    KeyCount(i64),
    /// Every page has this key too.
    ListsAlso(&'static str),
    MaxKeysIgnored,
    /// Everything below the prefix is listed, whatever the delimiter is.
    DelimiterIgnored,
    /// The element of this name of a listing has this text, as it is.
    Says(&'static str, &'static str),
    /// A listing leaves out what it was asked for.
    SaysNothing,
    /// So many pages without a key come before each page with keys.
    EmptyPages(usize),
    /// Keys come in the reverse order.
    Descending,
    /// Each page begins with the last key of the page before.
    RepeatsLastKey,
    /// The text of each `<LastModified>`, of listings and copies; `None`: there is none.
    DatesOf(Option<&'static str>),
    /// The header `Last-Modified`.
    LastModifiedHeader(&'static str),
    /// The text of each `<Size>`; `None`: there is none.
    SizesOf(Option<&'static str>),
    EtagsUnlisted,
    StorageClassOf(&'static str),
    UnknownElements,
    NoNamespace,
    /// The elements have a prefix.
    PrefixedNamespace,
    NoXmlDeclaration,
    ByteOrderMark,
    /// Keys are listed as they are, although `encoding-type=url` was asked for.
    UnencodedKeys,
    /// XML ends after its first half.
    HalfOfTheXml,
    /// Everything is answered with a page of a proxy.
    HtmlWith200,
    /// Every call of an operation is answered so.
    AnswerTo(&'static str, Reply),
    /// Does what an operation asks for, and the first time answers otherwise.
    LosesFirstAnswerTo(&'static str, Reply),
    /// No answer has a header of S3's own.
    NoHeadersOfS3,
    /// The operation's success has no ETag.
    NoEtagFrom(&'static str),
    DeleteWith200,
    /// DeleteObject and DeleteObjects say that it is done, and do nothing.
    KeepsWhatIsDeleted,
    /// PutObject says that it is done, and does nothing.
    ForgetsWhatIsPut,
    /// PutObject stores other bytes of the same length, and names their ETag.
    StoresOtherBytes,
    /// ETags look like an MD5 and are none.
    EtagsOfItsOwn,
    /// CopyObject says that it is done, and does nothing.
    CopiesNothing,
    /// DeleteObjects fails so for a key, so many times.
    FailureForKey(&'static str, &'static str, usize),
    /// DeleteObjects does nothing for a key and does not name it.
    UnnamedInDeletion(&'static str),
    /// DeleteObjects says that it deleted a key that nobody named.
    DeletionNamesAlso(&'static str),
    RangeIgnored,
    /// The header `Content-Range` of every answer to a range.
    ContentRange(&'static str),
    /// Anything else.
    When(Arc<Rule>),
}

impl Behaviour {
    /// InternalError for a key of a DeleteObjects, the first time.
    #[allow(non_snake_case, reason = "reads as a behaviour among the others")]
    pub fn InternalErrorForKeyOnce(key: &'static str) -> Self {
        Self::FailureForKey(key, "InternalError", 1)
    }

    /// Answers some requests otherwise.
    pub fn when(rule: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self::When(Arc::new(rule))
    }
}
