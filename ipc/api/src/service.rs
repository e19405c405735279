//! The `service!` macro: from one declaration to marker types, the worker's trait and the dispatch.

/// Declares a service. Each method is one of
///
/// ```text
/// unary  Marker = ROW_IN_CATALOG method_name(Request) => Reply;
/// stream Marker = ROW_IN_CATALOG method_name(Request) => Reply, yields Item;
/// upload Marker = ROW_IN_CATALOG method_name(Request) => Reply, takes Item;
/// ```
#[macro_export]
macro_rules! service {
    (
        $(#[$doc:meta])*
        pub trait $Trait:ident in $catalog:ident;
        $( $(#[$mdoc:meta])* $flow:ident $Marker:ident = $ROW:ident $name:ident($Request:ty) => $Reply:ty
            $(, yields $Item:ty)? $(, takes $Up:ty)?; )*
    ) => {
        $(
            $(#[$mdoc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $Marker;

            impl $crate::macro_support::Method for $Marker {
                const INFO: &'static $crate::macro_support::catalog::MethodInfo =
                    &$crate::macro_support::catalog::$catalog::$ROW;
                type Request = $Request;
                type Item = $crate::service!(@or $($Item)?);
                type Upload = $crate::service!(@or $($Up)?);
                type Reply = $Reply;
            }
        )*

        $(#[$doc])*
        pub trait $Trait: ::std::marker::Send + ::std::marker::Sync + 'static {
            $( $crate::service!(@sig $(#[$mdoc])* $flow $name, $Request, $Reply $(, $Item)? $(, $Up)?); )*
        }

        /// Offers an implementation on the bus.
        pub fn serve<T: $Trait>(implementation: $crate::macro_support::Arc<T>) -> Served<T> {
            Served(implementation)
        }

        /// An implementation, ready to be called.
        pub struct Served<T>($crate::macro_support::Arc<T>);

        impl<T: $Trait> $crate::macro_support::Service for Served<T> {
            fn id(&self) -> u16 {
                $crate::macro_support::catalog::$catalog::ID
            }

            fn dispatch(&self, incoming: $crate::macro_support::Incoming) {
                let service = $crate::macro_support::Arc::clone(&self.0);
                $(
                    if incoming.header.method == $crate::macro_support::catalog::$catalog::$ROW.method {
                        return $crate::service!(@dispatch $flow $Marker $name, incoming, service);
                    }
                )*
                let message = format!("the service has no method {}", incoming.header.method);
                incoming.refuse($crate::macro_support::ErrorCode::UnknownMethod, &message);
            }
        }
    };
    (@or) => { $crate::macro_support::Nothing };
    (@or $T:ty) => { $T };
    (@sig $(#[$mdoc:meta])* unary $name:ident, $Request:ty, $Reply:ty) => {
        $(#[$mdoc])*
        fn $name(&self, call: $crate::macro_support::Call, request: $Request)
            -> impl $crate::macro_support::Future<Output = Result<$Reply, $crate::macro_support::Failure>> + ::std::marker::Send;
    };
    (@sig $(#[$mdoc:meta])* stream $name:ident, $Request:ty, $Reply:ty, $Item:ty) => {
        $(#[$mdoc])*
        fn $name(&self, call: $crate::macro_support::Call, request: $Request, out: $crate::macro_support::Outlet<$Item>)
            -> impl $crate::macro_support::Future<Output = Result<$Reply, $crate::macro_support::Failure>> + ::std::marker::Send;
    };
    (@sig $(#[$mdoc:meta])* upload $name:ident, $Request:ty, $Reply:ty, $Item:ty) => {
        $(#[$mdoc])*
        fn $name(&self, call: $crate::macro_support::Call, request: $Request, items: $crate::macro_support::Inlet<$Item>)
            -> impl $crate::macro_support::Future<Output = Result<$Reply, $crate::macro_support::Failure>> + ::std::marker::Send;
    };
    (@dispatch unary $Marker:ident $name:ident, $incoming:ident, $service:ident) => {
        $incoming.unary::<$Marker, _, _>(move |call, request| async move { $service.$name(call, request).await })
    };
    (@dispatch stream $Marker:ident $name:ident, $incoming:ident, $service:ident) => {
        $incoming.stream::<$Marker, _, _>(move |call, request, out| async move { $service.$name(call, request, out).await })
    };
    (@dispatch upload $Marker:ident $name:ident, $incoming:ident, $service:ident) => {
        $incoming.upload::<$Marker, _, _>(move |call, request, items| async move { $service.$name(call, request, items).await })
    };
}
