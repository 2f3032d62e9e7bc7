"""What the shop's side of the API can be asked: products, carts, checkout, one's order."""

from api import shapes
from api.cart_operations import CARTS
from api.operation import CHANGE, Operation
from api.order_shapes import ReturnAsk, ReturnAsked

SHOP = (
    Operation(
        "get",
        "/products",
        "listProducts",
        "List products in shelf order",
        shapes.ProductPage,
        (422, 429),
        query=shapes.ProductQuery,
    ),
    Operation(
        "get",
        "/products/{slug}",
        "showProduct",
        "Show one product",
        shapes.ProductDetailAnswer,
        (404, 429),
    ),
    *CARTS,
    Operation(
        "get",
        "/checkout-terms",
        "listCheckoutTerms",
        "What checkout asks to agree to",
        shapes.CheckoutTerms,
        (429,),
    ),
    Operation(
        "post",
        "/carts/{cart_id}/checkout",
        "checkout",
        "Order what is in the cart",
        shapes.PlacedAnswer,
        (*CHANGE, 412, 503),
        status=201,
        takes=shapes.CheckoutWish,
        has_key=True,
        gives_location=True,
    ),
    Operation(
        "get",
        "/orders/{order_id}",
        "showOrder",
        "Follow an order",
        shapes.OrderAnswer,
        (401, 404, 429),
        token="orderToken",
    ),
    Operation(
        "post",
        "/account/orders/claim",
        "claimOrder",
        "Put a guest's order in your account",
        shapes.ClaimAnswer,
        (401, 403, *CHANGE),
        takes=shapes.ClaimWish,
        has_key=True,
        token="userToken",
        scope="billing:write",
    ),
    Operation(
        "post",
        "/orders/{order_id}/returns",
        "askReturn",
        "Ask to return goods",
        ReturnAsked,
        (401, *CHANGE),
        status=201,
        takes=ReturnAsk,
        has_key=True,
        token="orderToken",
    ),
)
