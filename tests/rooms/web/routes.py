"""THE table of access: every route, who may use it, and what each of four people gets there.

Nobody is a stranger, Riley and June are customers, Kim is staff. What stands in the addresses is Riley's, or
nobody's. A route that is here and not in the shop, or in the shop and not here, fails ``test_access``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.rooms.web.stage import EVERYBODY
from tests.world import ADDRESS
from web.access import Guard, Who

#: A status stands for all four, or one for each of nobody, Riley, June and Kim; behind an arrow is where a
#: redirect leads: ``door`` and ``desk-door`` are the two log-in pages, ``processor`` is its pay page.
TABLE = """
# the shop's pages
GET    /                                             everybody none   200
GET    /c/<slug>                                     everybody none   200
GET    /p/<slug>                                     everybody none   200
GET    /pages/<slug>                                 everybody none   200
GET    /media/<public_id>-<int:width>.<suffix>       everybody none   200
GET    /media/<public_id>/<language>-<digest>.vtt    everybody none   404
GET    /brand/<int:number>.css                       everybody none   200
GET    /robots.txt                                   everybody none   200
GET    /sitemap.xml                                  everybody none   200
GET    /sitemap/<int:number>.xml                     everybody none   200
GET    /terms                                        everybody none   200
GET    /privacy                                      everybody none   200
GET    /accessibility                                everybody none   200
GET    /static/<path:filename>                       everybody none   200
# a cart is its browser's
GET    /cart                                         everybody token  200
GET    /cart/count                                   everybody none   200
POST   /cart/lines                                   everybody origin 303→/cart
POST   /cart/lines/<line_id>                         everybody token  303→/cart
POST   /cart/lines/<line_id>/save                    everybody token  303→/cart
POST   /cart/lines/<line_id>/number                  everybody token  303→/cart
GET    /numbers/<sku>                                everybody token  200
POST   /cart/saved/<saved_id>                        everybody token  303→/cart
POST   /cart/hold                                    everybody token  303→/cart
POST   /cart/place                                   everybody token  422
POST   /cart/share                                   everybody token  303→/cart/shared/*
GET    /cart/shared/<public_id>                      everybody token  200
POST   /cart/shared/<public_id>                      everybody token  303→/cart
POST   /cart/bring                                   customer  token  302→door 303→/cart 303→/cart 303→/cart
GET    /checkout                                     everybody token  200
POST   /checkout                                     everybody token  422
# whoever has the number of a payment came from our own redirect
GET    /pay/<public_id>/return                       everybody token  200
POST   /pay/<public_id>/return                       everybody token  200
GET    /pay/<public_id>/cancelled                    everybody token  200
POST   /pay/<public_id>/cancelled                    everybody token  303→/cart
# whoever has the number of a set-up came from our own redirect too
GET    /methods/<public_id>/return                   everybody token  200
POST   /methods/<public_id>/return                   everybody token  200
GET    /methods/<public_id>/cancelled                everybody token  200
POST   /methods/<public_id>/cancelled                everybody token  303→/account
# whoever has an order's link sees the order
GET    /o/<public_id>/<token>                        everybody none   200
GET    /o/<public_id>/<token>/thanks                 everybody none   200
GET    /o/<public_id>/<token>/bills/<invoice_id>     everybody none   200
GET    /o/<public_id>/<token>/bills/<invoice_id>.pdf everybody none   200
GET    /o/<public_id>/<token>/return                 everybody token  200
POST   /o/<public_id>/<token>/return                 everybody token  422
POST   /o/<public_id>/<token>/claim                  customer  token  302→door 303→/o/* 303→/o/* 303→/o/*
POST   /o/<public_id>/<token>/pay                    everybody token  303→processor
GET    /o/<public_id>/<token>/bills/<invoice_id>/lines/<int:number>/dispute everybody token 200
POST   /o/<public_id>/<token>/bills/<invoice_id>/lines/<int:number>/dispute everybody token 422
GET    /o/<public_id>/<token>/disputes/<dispute_id>  everybody none   200
POST   /o/<public_id>/<token>/disputes/<dispute_id>/messages everybody token 422
POST   /o/<public_id>/<token>/disputes/<dispute_id>/withdraw everybody token 303→/o/*
# whoever has a gift card's code, or the link of its mail
GET    /gift-card                                    everybody token  200
POST   /gift-card                                    everybody token  422
GET    /gift-card/<public_id>/<token>                everybody none   200
# a quote: asked for by anybody, answered by whoever has its link
GET    /quote                                        everybody token  200
POST   /quote                                        everybody token  422
GET    /q/<public_id>/<token>                        everybody token  200
GET    /q/<public_id>/<token>/<int:number>.pdf       everybody none   200
GET    /q/<public_id>/<token>/compare                everybody none   200
GET    /q/<public_id>/<token>/accept                 everybody token  200
POST   /q/<public_id>/<token>/accept                 everybody token  422
GET    /q/<public_id>/<token>/decline                everybody token  200
POST   /q/<public_id>/<token>/decline                everybody token  422
POST   /q/<public_id>/<token>/messages               everybody token  422
# trials: what can be tried, and what the link of a mail opens
GET    /trials                                       everybody token  200
GET    /trials/<code>                                everybody token  200
POST   /trials/<code>                                everybody token  422
GET    /back-in-stock/<sku>                          everybody token  200
POST   /back-in-stock/<sku>                          everybody token  422
GET    /w/<public_id>/<token>                        everybody token  200
POST   /w/<public_id>/<token>/confirm                everybody token  303→/w/*
POST   /w/<public_id>/<token>/leave                  everybody token  303→/w/*
POST   /w/<public_id>/<token>/take                   everybody token  303→/w/*
GET    /trial/<public_id>/<token>                    everybody token  200
POST   /trial/<public_id>/<token>/cancel             everybody token  303→/trial/*
POST   /trial/<public_id>/<token>/keep               everybody token  303→/trial/*
# the doors
GET    /account/login                                everybody token  200 302→account 302→account 302→account
POST   /account/login                                everybody token  422
POST   /account/logout                               everybody token  303→door
GET    /account/register                             everybody token  200
POST   /account/register                             everybody token  422
GET    /account/forgot                               everybody token  200
POST   /account/forgot                               everybody token  200
GET    /account/reset/<token>                        everybody token  200
POST   /account/reset/<token>                        everybody token  422
GET    /account/invite/<token>                       everybody token  200
POST   /account/invite/<token>                       everybody token  422
GET    /account/verify/<token>                       everybody token  200
POST   /account/verify/<token>                       everybody token  200
# the account: what somebody sees is scoped through their memberships
GET    /account                                      customer  token  302→door 200 200 200
GET    /account/bills                                customer  token  302→door 200 200 200
GET    /account/bills/<public_id>                    customer  token  302→door 200 404 404
GET    /account/bills/<public_id>.pdf                customer  token  302→door 200 404 404
GET    /account/statements                           customer  token  302→door 200 200 200
GET    /account/statements/<public_id>               customer  token  302→door 200 404 404
GET    /account/statements/<public_id>.pdf           customer  token  302→door 200 404 404
GET    /account/statements/<public_id>.csv           customer  token  302→door 200 404 404
GET    /account/services                             customer  token  302→door 200 200 200
GET    /account/services/<public_id>                 customer  token  302→door 200 404 404
GET    /account/services/<public_id>/change          customer  token  302→door 200 404 404
POST   /account/services/<public_id>/change          customer  token  302→door 422 404 404
GET    /account/services/<public_id>/pause           customer  token  302→door 200 404 404
POST   /account/services/<public_id>/pause           customer  token  302→door 422 404 404
GET    /account/services/<public_id>/resume          customer  token  302→door 422 404 404
POST   /account/services/<public_id>/resume          customer  token  302→door 303→/account/services/* 404 404
GET    /account/services/<public_id>/end             customer  token  302→door 200 404 404
POST   /account/services/<public_id>/end             customer  token  302→door 422 404 404
POST   /account/services/<public_id>/keep            customer  token  302→door 303→/account/services/* 404 404
GET    /account/payments                             customer  token  302→door 200 200 200
GET    /account/payments/<public_id>                 customer  token  302→door 200 404 404
GET    /account/tax                                  customer  token  302→door 200 200 200
POST   /account/tax                                  customer  token  302→door 404 404 404
GET    /account/consents                             customer  token  302→door 200 200 200
POST   /account/consents/withdraw                    customer  token  302→door 404 404 404
GET    /account/tokens                               customer  token  302→door 200 200 200
POST   /account/tokens                               customer  token  302→door 422 422 422
GET    /account/tokens/<public_id>/revoke            customer  token  302→door 200 404 404
POST   /account/tokens/<public_id>/revoke            customer  token  302→door 303→/account/tokens 404 404
GET    /account/cards                                customer  token  302→door 200 200 200
POST   /account/cards/add                            customer  token  302→door 303→processor 303→processor 404
POST   /account/cards/<public_id>/default            customer  token  302→door 303→/account/cards 404 404
GET    /account/cards/<public_id>/remove             customer  token  302→door 200 404 404
POST   /account/cards/<public_id>/remove             customer  token  302→door 303→/account/cards* 404 404
GET    /account/cards/<public_id>/instead            customer  token  302→door 200 404 404
POST   /account/cards/<public_id>/instead            customer  token  302→door 422 404 404
POST   /account/cards/<public_id>/again              customer  token  302→door 404 404 404
GET    /account/autopay                              customer  token  302→door 200 200 200
POST   /account/autopay                              customer  token  302→door 422 422 404
GET    /account/pay-code                             customer  token  302→door 200 200 200
POST   /account/pay-code  customer token 302→door 303→/account/pay-code* 303→/account/pay-code* 404
GET    /account/autopay/stop                         customer  token  302→door 200 200 200
POST   /account/autopay/stop  customer token 302→door 303→/account/autopay* 303→/account/autopay* 404
GET    /account/scheduled                            customer  token  302→door 200 200 200
GET    /account/scheduled/new                        customer  token  302→door 200 200 200
POST   /account/scheduled/new                        customer  token  302→door 422 422 200
GET    /account/scheduled/<public_id>                customer  token  302→door 200 404 404
GET    /account/scheduled/<public_id>/change         customer  token  302→door 200 404 404
POST   /account/scheduled/<public_id>/change         customer  token  302→door 422 404 404
GET    /account/scheduled/<public_id>/cancel         customer  token  302→door 200 404 404
POST   /account/scheduled/<public_id>/cancel  customer  token  302→door 303→/account/scheduled/* 404 404
GET    /account/trials                               customer  token  302→door 200 200 200
GET    /account/trials/<public_id>                   customer  token  302→door 200 404 404
GET    /account/trials/<public_id>/cancel            customer  token  302→door 200 404 404
POST   /account/trials/<public_id>/cancel            customer  token  302→door 303→/account/trials/* 404 404
POST   /account/trials/<public_id>/keep              customer  token  302→door 303→/account/trials/* 404 404
GET    /account/trials/<public_id>/go-on             customer  token  302→door 200 404 404
POST   /account/trials/<public_id>/go-on             customer  token  302→door 422 404 404
GET    /account/trials/<public_id>/card              customer  token  302→door 302→/account/trials/* 404 404
POST   /account/trials/<public_id>/card              customer  token  302→door 303→processor 404 404
GET    /pay-a-bill                                   everybody token  200
POST   /pay-a-bill                                   everybody token  422
GET    /due/<public_id>/<token>                      everybody token  200
POST   /due/<public_id>/<token>                      everybody token  200
GET    /account/past-due/<public_id>                 customer  token  302→door 200 404 404
POST   /account/past-due/<public_id>/promise         customer  token  302→door 422 404 404
GET    /account/pay                                  customer  token  302→door 200 200 200
POST   /account/pay                                  customer  token  302→door 303→processor 404 404
GET    /account/disputes                             customer  token  302→door 200 200 200
GET    /account/disputes/<public_id>                 customer  token  302→door 200 404 404
GET    /account/disputes/<public_id>/files/<file_id> customer  token  302→door 200 404 404
POST   /account/disputes/<public_id>/messages        customer  token  302→door 422 404 404
GET    /account/disputes/<public_id>/withdraw        customer  token  302→door 200 404 404
POST   /account/disputes/<public_id>/refund customer token 302→door 303→/account/disputes/* 404 404
POST   /account/disputes/<public_id>/withdraw customer token 302→door 303→/account/disputes/* 404 404
GET    /account/bills/<public_id>/lines/<int:number>/dispute customer token 302→door 200 404 404
POST   /account/bills/<public_id>/lines/<int:number>/dispute customer token 302→door 422 404 404
GET    /account/quotes                               customer  token  302→door 200 200 200
GET    /account/quotes/<public_id>                   customer  token  302→door 200 404 404
GET    /account/quotes/<public_id>/<int:number>.pdf  customer  token  302→door 200 404 404
GET    /account/quotes/<public_id>/compare           customer  token  302→door 200 404 404
GET    /account/quotes/<public_id>/accept            customer  token  302→door 200 404 404
POST   /account/quotes/<public_id>/accept            customer  token  302→door 422 404 404
GET    /account/quotes/<public_id>/decline           customer  token  302→door 200 404 404
POST   /account/quotes/<public_id>/decline           customer  token  302→door 422 404 404
POST   /account/quotes/<public_id>/messages          customer  token  302→door 422 404 404
# the desk
GET    /desk/login                                   everybody token  200 200 200 302→/desk
POST   /desk/login                                   everybody token  422
GET    /desk/login/code                              everybody token  302→desk-door
POST   /desk/login/code                              everybody token  303→desk-door
GET    /desk/login/set-up                            everybody token  302→desk-door
POST   /desk/login/set-up                            everybody token  303→desk-door
GET    /desk/me                                      staff     token  302→desk-door 404 404 200
POST   /desk/me/second-step/begin staff token 302→desk-door 404 404 303→/desk/me/second-step
GET    /desk/me/second-step                          staff     token  302→desk-door 404 404 200
POST   /desk/me/second-step                          staff     token  302→desk-door 404 404 422
POST   /desk/me/second-step/give-up                  staff     token  302→desk-door 404 404 422
POST   /desk/me/recovery-codes                       staff     token  302→desk-door 404 404 422
GET    /desk/again                                   staff     token  302→desk-door 404 404 200
POST   /desk/again                                   staff     token  302→desk-door 404 404 422
POST   /desk/logout                                  staff     token  302→desk-door 404 404 303→desk-door
GET    /desk                                         staff     token  302→desk-door 404 404 200
GET    /desk/orders                                  staff     token  302→desk-door 404 404 200
GET    /desk/orders/<public_id>                      staff     token  302→desk-door 404 404 200
GET    /desk/invoices                                staff     token  302→desk-door 404 404 200
GET    /desk/invoices/<public_id>                    staff     token  302→desk-door 404 404 200
GET    /desk/invoices/<public_id>.pdf                staff     token  302→desk-door 404 404 200
GET    /desk/invoices/<public_id>/credit             staff     token  302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/credit             staff     token  302→desk-door 404 404 422
GET    /desk/invoices/<public_id>/debit              staff     token  302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/debit              staff     token  302→desk-door 404 404 422
GET    /desk/invoices/<public_id>/void               staff     token  302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/void staff token 302→desk-door 404 404 303→/desk/invoices/*
GET    /desk/disputes                                staff     token  302→desk-door 404 404 200
GET    /desk/disputes/export.csv                     staff     token  302→desk-door 404 404 200
GET    /desk/disputes/<public_id>                    staff     token  302→desk-door 404 404 200
GET    /desk/disputes/<public_id>/files/<file_id>    staff     token  302→desk-door 404 404 200
POST   /desk/disputes/<public_id>/preview            staff     token  302→desk-door 404 404 422
POST   /desk/disputes/<public_id>/decision           staff     token  302→desk-door 404 404 422
POST   /desk/disputes/<public_id>/second staff token 302→desk-door 404 404 303→/desk/disputes/*
POST   /desk/disputes/<public_id>/messages           staff     token  302→desk-door 404 404 422
GET    /desk/drafts                                  staff     token  302→desk-door 404 404 200
POST   /desk/drafts                                  staff     token  302→desk-door 404 404 422
GET    /desk/drafts/<public_id>                      staff     token  302→desk-door 404 404 200
POST   /desk/drafts/<public_id>                      staff     token  302→desk-door 404 404 409
GET    /desk/drafts/<public_id>/preview              staff     token  302→desk-door 404 404 200
GET    /desk/drafts/<public_id>.pdf                  staff     token  302→desk-door 404 404 200
POST   /desk/drafts/<public_id>/discard              staff     token  302→desk-door 404 404 409
POST   /desk/drafts/<public_id>/issue                staff     token  302→desk-door 404 404 409
GET    /desk/terms                                   staff     token  302→desk-door 404 404 200
POST   /desk/terms                                   staff     token  302→desk-door 404 404 422
GET    /desk/terms/<account_number>                  staff     token  302→desk-door 404 404 200
POST   /desk/terms/<account_number>                  staff     token  302→desk-door 404 404 422
GET    /desk/statements                              staff     token  302→desk-door 404 404 200
GET    /desk/statements/<public_id>                  staff     token  302→desk-door 404 404 200
GET    /desk/statements/<public_id>.pdf              staff     token  302→desk-door 404 404 200
GET    /desk/statements/<public_id>.csv              staff     token  302→desk-door 404 404 200
GET    /desk/bill-runs                               staff     token  302→desk-door 404 404 200
POST   /desk/bill-runs                               staff     token  302→desk-door 404 404 422
GET    /desk/bill-runs/<public_id>                   staff     token  302→desk-door 404 404 200
GET    /desk/bill-runs/<public_id>.csv               staff     token  302→desk-door 404 404 200
GET    /desk/reconciler                              staff     token  302→desk-door 404 404 200
POST   /desk/reconciler staff token 302→desk-door 404 404 303→/desk/reconciler/*
GET    /desk/reconciler/<public_id>                  staff     token  302→desk-door 404 404 200
GET    /desk/past-due                                staff     token  302→desk-door 404 404 200
GET    /desk/past-due.csv                            staff     token  302→desk-door 404 404 200
GET    /desk/past-due/<public_id>                    staff     token  302→desk-door 404 404 200
POST   /desk/past-due/<public_id>/hold               staff     token  302→desk-door 404 404 422
POST   /desk/past-due/<public_id>/promise            staff     token  302→desk-door 404 404 422
POST   /desk/past-due/<public_id>/go-on              staff     token  302→desk-door 404 404 404
POST   /desk/past-due/<public_id>/remind staff token 302→desk-door 404 404 303→/desk/past-due/*
GET    /desk/past-due/<public_id>/waive              staff     token  302→desk-door 404 404 200
POST   /desk/past-due/<public_id>/waive              staff     token  302→desk-door 404 404 422
GET    /desk/parked                                  staff     token  302→desk-door 404 404 200
GET    /desk/parked/<public_id>                      staff     token  302→desk-door 404 404 200
POST   /desk/parked/<public_id>/release              staff     token  302→desk-door 404 404 422
GET    /desk/services                                staff     token  302→desk-door 404 404 200
GET    /desk/services/export.csv                     staff     token  302→desk-door 404 404 200
GET    /desk/services/<public_id>                    staff     token  302→desk-door 404 404 200
GET    /desk/services/<public_id>/change             staff     token  302→desk-door 404 404 200
POST   /desk/services/<public_id>/change             staff     token  302→desk-door 404 404 422
GET    /desk/services/<public_id>/pause              staff     token  302→desk-door 404 404 200
POST   /desk/services/<public_id>/pause              staff     token  302→desk-door 404 404 422
GET    /desk/services/<public_id>/resume             staff     token  302→desk-door 404 404 422
POST   /desk/services/<public_id>/resume staff token 302→desk-door 404 404 303→/desk/services/*
GET    /desk/services/<public_id>/end                staff     token  302→desk-door 404 404 200
POST   /desk/services/<public_id>/end                staff     token  302→desk-door 404 404 422
POST   /desk/services/<public_id>/keep staff token 302→desk-door 404 404 303→/desk/services/*
POST   /desk/services/<public_id>/activate           staff     token  302→desk-door 404 404 422
POST   /desk/services/<public_id>/payer              staff     token  302→desk-door 404 404 422
POST   /desk/services/<public_id>/usage              staff     token  302→desk-door 404 404 422
POST   /desk/services/<public_id>/lock               staff     token  302→desk-door 404 404 422
GET    /desk/payments/planned                        staff     token  302→desk-door 404 404 200
GET    /desk/payments/planned/<public_id>            staff     token  302→desk-door 404 404 200
GET    /desk/payments/cards/<account_number>         staff     token  302→desk-door 404 404 200
GET    /desk/provisioning                            staff     token  302→desk-door 404 404 200
GET    /desk/provisioning/export.csv                 staff     token  302→desk-door 404 404 200
GET    /desk/provisioning/<public_id>                staff     token  302→desk-door 404 404 200
POST   /desk/provisioning/<public_id>/again staff token 302→desk-door 404 404 303→/desk/provisioning/*
POST   /desk/provisioning/<public_id>/done           staff     token  302→desk-door 404 404 422
GET    /desk/chargebacks                             staff     token  302→desk-door 404 404 200
GET    /desk/chargebacks/<public_id>                 staff     token  302→desk-door 404 404 200
GET    /desk/chargebacks/<public_id>/files/<file_id> staff     token  302→desk-door 404 404 200
POST   /desk/chargebacks/<public_id>/evidence staff token 302→desk-door 404 404 303→/desk/chargebacks/*
POST   /desk/chargebacks/<public_id>/evidence/send staff token 302→desk-door 404 404 303→/desk/chargebacks/*
GET    /desk/payments                                staff     token  302→desk-door 404 404 200
GET    /desk/payments/<public_id>                    staff     token  302→desk-door 404 404 200
GET    /desk/to-check                                 staff     token  302→desk-door 404 404 200
GET    /desk/to-check.csv                             staff     token  302→desk-door 404 404 200
GET    /desk/to-check/rules                           staff     token  302→desk-door 404 404 200
POST   /desk/to-check/rules staff token 302→desk-door 404 404 303→/desk/to-check/rules
POST   /desk/orders/<public_id>/approve staff token 302→desk-door 404 404 303→/desk/orders/*
GET    /desk/orders/<public_id>/ship                 staff     token  302→desk-door 404 404 200
POST   /desk/orders/<public_id>/ship                 staff     token  302→desk-door 404 404 422
GET    /desk/orders/<public_id>/ready                staff     token  302→desk-door 404 404 200
POST   /desk/orders/<public_id>/ready                staff     token  302→desk-door 404 404 422
GET    /desk/pick-ups                                staff     token  302→desk-door 404 404 200
GET    /desk/pick-ups.csv                            staff     token  302→desk-door 404 404 200
POST   /desk/pick-ups/<public_id>/hand-over staff token 302→desk-door 404 404 303→/desk/orders/*
POST   /desk/pick-ups/<public_id>/put-back staff token 302→desk-door 404 404 303→/desk/orders/*
GET    /desk/orders/<public_id>/provide              staff     token  302→desk-door 404 404 200
POST   /desk/orders/<public_id>/provide              staff     token  302→desk-door 404 404 422
GET    /desk/orders/<public_id>/change               staff     token  302→desk-door 404 404 200
POST   /desk/orders/<public_id>/change               staff     token  302→desk-door 404 404 422
GET    /desk/orders/<public_id>/cancel               staff     token  302→desk-door 404 404 200
POST   /desk/orders/<public_id>/cancel               staff     token  302→desk-door 404 404 422
GET    /desk/orders/<public_id>/return               staff     token  302→desk-door 404 404 200
POST   /desk/orders/<public_id>/return               staff     token  302→desk-door 404 404 422
GET    /account/orders                               customer  token  302→door 200 200 200
GET    /desk/customers                               staff     token  302→desk-door 404 404 200
GET    /desk/customers/export.csv                    staff     token  302→desk-door 404 404 200
GET    /desk/customers/new                           staff     token  302→desk-door 404 404 200
POST   /desk/customers/new                           staff     token  302→desk-door 404 404 422
GET    /desk/customers/<public_id>                   staff     token  302→desk-door 404 404 200
GET    /desk/customers/<public_id>/order             staff     token  302→desk-door 404 404 200
POST   /desk/customers/<public_id>/order             staff     token  302→desk-door 404 404 422
GET    /desk/phone-orders/<cart_id>                  staff     token  302→desk-door 404 404 200
POST   /desk/phone-orders/<cart_id> staff token 302→desk-door 404 404 303→/desk/phone-orders/*
POST   /desk/phone-orders/<cart_id>/lines            staff     token  302→desk-door 404 404 422
POST   /desk/phone-orders/<cart_id>/lines/<line_id> staff token 302→desk-door 404 404 303→/desk/phone-orders/*
GET    /desk/customers/<public_id>/edit              staff     token  302→desk-door 404 404 200
POST   /desk/customers/<public_id>/edit              staff     token  302→desk-door 404 404 422
GET    /desk/customers/<public_id>/pay-code          staff     token  302→desk-door 404 404 200
POST   /desk/customers/<public_id>/pay-code staff token 302→desk-door 404 404 303→/desk/customers/*
GET    /desk/delivery                                staff     token  302→desk-door 404 404 200
GET    /desk/delivery/ways/new                       staff     token  302→desk-door 404 404 200
GET    /desk/delivery/ways/<country>/<code>          staff     token  302→desk-door 404 404 200
POST   /desk/delivery/ways                           staff     token  302→desk-door 404 404 422
GET    /desk/delivery/zones/new                      staff     token  302→desk-door 404 404 200
POST   /desk/delivery/zones                          staff     token  302→desk-door 404 404 422
GET    /desk/delivery/times                          staff     token  302→desk-door 404 404 200
POST   /desk/delivery/times                          staff     token  302→desk-door 404 404 422
GET    /desk/delivery/times/<public_id>              staff     token  302→desk-door 404 404 200
POST   /desk/delivery/times/<public_id>              staff     token  302→desk-door 404 404 422
GET    /desk/products                                staff     token  302→desk-door 404 404 200
GET    /desk/products/new                            staff     token  302→desk-door 404 404 200
POST   /desk/products/new                            staff     token  302→desk-door 404 404 422
GET    /desk/products/<slug>                         staff     token  302→desk-door 404 404 200
POST   /desk/products/<slug>                         staff     token  302→desk-door 404 404 422
POST   /desk/products/<slug>/publish staff token 302→desk-door 404 404 303→/desk/products/*
GET    /desk/products/<slug>/address                 staff     token  302→desk-door 404 404 200
POST   /desk/products/<slug>/address                 staff     token  302→desk-door 404 404 422
POST   /desk/products/<slug>/pictures                staff     token  302→desk-door 404 404 422
POST   /desk/products/<slug>/things                  staff     token  302→desk-door 404 404 422
GET    /desk/products/<slug>/things/<sku>            staff     token  302→desk-door 404 404 200
POST   /desk/products/<slug>/things/<sku>/prices     staff     token  302→desk-door 404 404 422
POST   /desk/products/<slug>/things/<sku>/pieces     staff     token  302→desk-door 404 404 404
GET    /desk/price-lists                             staff     token  302→desk-door 404 404 200
POST   /desk/price-lists                             staff     token  302→desk-door 404 404 422
POST   /desk/price-lists/<code>/end                  staff     token  302→desk-door 404 404 404
POST   /desk/products/<slug>/things/<sku>            staff     token  302→desk-door 404 404 422
GET    /desk/payments/<public_id>/refund staff token 302→desk-door 404 404 302→/desk/orders/*
POST   /desk/payments/<public_id>/refund staff token 302→desk-door 404 404 303→/desk/orders/*
GET    /desk/stock                                   staff     token  302→desk-door 404 404 200
GET    /desk/stock/export.csv                        staff     token  302→desk-door 404 404 200
GET    /desk/stock/holds                             staff     token  302→desk-door 404 404 200
GET    /desk/stock/holds/<uuid:hold_id>/release      staff     token  302→desk-door 404 404 200
POST   /desk/stock/holds/<uuid:hold_id>/release staff token 302→desk-door 404 404 303→/desk/stock/holds
GET    /desk/stock/places                            staff     token  302→desk-door 404 404 200
POST   /desk/stock/places                            staff     token  302→desk-door 404 404 422
GET    /desk/stock/places/<code>                     staff     token  302→desk-door 404 404 200
POST   /desk/stock/places/<code>                     staff     token  302→desk-door 404 404 422
GET    /desk/stock/import                            staff     token  302→desk-door 404 404 200
POST   /desk/stock/import                            staff     token  302→desk-door 404 404 422
POST   /desk/stock/import/apply                      staff     token  302→desk-door 404 404 422
GET    /desk/stock/transfers                         staff     token  302→desk-door 404 404 200
GET    /desk/stock/transfers.csv                     staff     token  302→desk-door 404 404 200
POST   /desk/stock/transfers                         staff     token  302→desk-door 404 404 422
GET    /desk/stock/transfers/<uuid:transfer_id>      staff     token  302→desk-door 404 404 200
POST   /desk/stock/transfers/<uuid:transfer_id>      staff     token  302→desk-door 404 404 422
GET    /desk/stock/back-orders                       staff     token  302→desk-door 404 404 200
GET    /desk/stock/back-orders.csv                   staff     token  302→desk-door 404 404 200
POST   /desk/stock/back-orders/release staff token 302→desk-door 404 404 303→/desk/stock/back-orders
POST   /desk/stock/back-orders/<uuid:key>/release staff token 302→desk-door 404 404 303→/desk/stock/*
GET    /desk/stock/waits                             staff     token  302→desk-door 404 404 200
GET    /desk/stock/waits.csv                         staff     token  302→desk-door 404 404 200
POST   /desk/stock/waits/<public_id>/remove staff token 302→desk-door 404 404 303→/desk/stock/waits
GET    /desk/stock/numbers                           staff     token  302→desk-door 404 404 200
GET    /desk/stock/numbers.csv                       staff     token  302→desk-door 404 404 200
POST   /desk/stock/numbers                           staff     token  302→desk-door 404 404 422
GET    /desk/stock/numbers/<uuid:pool_id>            staff     token  302→desk-door 404 404 200
GET    /desk/stock/numbers/<uuid:pool_id>.csv        staff     token  302→desk-door 404 404 200
POST   /desk/stock/numbers/<uuid:pool_id>/add        staff     token  302→desk-door 404 404 422
POST   /desk/stock/numbers/<uuid:pool_id>/terms staff token 302→desk-door 404 404 303→*
GET    /desk/stock/numbers/<uuid:pool_id>/import     staff     token  302→desk-door 404 404 200
POST   /desk/stock/numbers/<uuid:pool_id>/import     staff     token  302→desk-door 404 404 422
POST   /desk/stock/numbers/<uuid:pool_id>/import/apply staff   token  302→desk-door 404 404 422
GET    /desk/stock/numbers/<uuid:pool_id>/<uuid:number_id> staff token 302→desk-door 404 404 200
GET    /desk/stock/numbers/<uuid:pool_id>/<uuid:number_id>/withdraw staff token 302→desk-door 404 404 200
POST   /desk/stock/numbers/<uuid:pool_id>/<uuid:number_id>/withdraw staff token 302→desk-door 404 404 303→*
POST   /desk/stock/numbers/<uuid:pool_id>/<uuid:number_id>/release staff token 302→desk-door 404 404 303→*
POST   /desk/stock/numbers/<uuid:pool_id>/<uuid:number_id>/restore staff token 302→desk-door 404 404 303→*
GET    /desk/stock/hold-rules                        staff     token  302→desk-door 404 404 200
POST   /desk/stock/hold-rules                        staff     token  302→desk-door 404 404 422
POST   /desk/stock/hold-rules/<uuid:policy_id>/remove staff token 302→desk-door 404 404 303→*/hold-rules
GET    /desk/stock/<uuid:level_id>                   staff     token  302→desk-door 404 404 200
POST   /desk/stock/<uuid:level_id>                   staff     token  302→desk-door 404 404 422
POST   /desk/stock/<uuid:level_id>/limits            staff     token  302→desk-door 404 404 422
GET    /desk/parcels/<public_id>                     staff     token  302→desk-door 404 404 200
POST   /desk/parcels/<public_id>/arrived staff token 302→desk-door 404 404 303→/desk/orders/*
POST   /desk/parcels/<public_id>                     staff     token  302→desk-door 404 404 303→/desk/orders/*
GET    /desk/returns                                 staff     token  302→desk-door 404 404 200
GET    /desk/returns/<public_id>                     staff     token  302→desk-door 404 404 200
POST   /desk/returns/<public_id>                     staff     token  302→desk-door 404 404 422
POST   /desk/returns/<public_id>/withdraw            staff     token  302→desk-door 404 404 303→/desk/orders/*
POST   /desk/returns/<public_id>/accept  staff token  302→desk-door 404 404 303→/desk/returns/*
POST   /desk/returns/<public_id>/money staff token 302→desk-door 404 404 303→/desk/returns/*
POST   /desk/returns/<public_id>/decline staff token  302→desk-door 404 404 422
GET    /desk/orders/<public_id>/refund               staff     token  302→desk-door 404 404 200
POST   /desk/orders/<public_id>/refund               staff     token  302→desk-door 404 404 422
POST   /desk/payments/<public_id>/refunds/<uuid:refund_id>/again staff token 302→desk-door 404 404 404
GET    /desk/gift-cards                              staff     token  302→desk-door 404 404 200
GET    /desk/gift-cards.csv                          staff     token  302→desk-door 404 404 200
GET    /desk/gift-cards/<public_id>                  staff     token  302→desk-door 404 404 200
POST   /desk/gift-cards/<public_id>/void             staff     token  302→desk-door 404 404 422
POST   /desk/gift-cards/<public_id>/take-back        staff     token  302→desk-door 404 404 303→/desk/*
GET    /desk/quotes                                  staff     token  302→desk-door 404 404 200
GET    /desk/quotes/export.csv                       staff     token  302→desk-door 404 404 200
GET    /desk/quotes/new                              staff     token  302→desk-door 404 404 200
POST   /desk/quotes/new                              staff     token  302→desk-door 404 404 422
GET    /desk/quotes/approvals                        staff     token  302→desk-door 404 404 200
GET    /desk/quotes/report                           staff     token  302→desk-door 404 404 200
GET    /desk/quotes/<public_id>                      staff     token  302→desk-door 404 404 200
GET    /desk/quotes/<public_id>/edit                 staff     token  302→desk-door 404 404 200
POST   /desk/quotes/<public_id>/edit                 staff     token  302→desk-door 404 404 422
GET    /desk/quotes/<public_id>/contact              staff     token  302→desk-door 404 404 200
POST   /desk/quotes/<public_id>/contact              staff     token  302→desk-door 404 404 422
POST   /desk/quotes/<public_id>/send                 staff     token  302→desk-door 404 404 409
POST   /desk/quotes/<public_id>/approval             staff     token  302→desk-door 404 404 409
POST   /desk/quotes/<public_id>/decision             staff     token  302→desk-door 404 404 409
POST   /desk/quotes/<public_id>/versions staff token 302→desk-door 404 404 303→/desk/quotes/*/edit
POST   /desk/quotes/<public_id>/owner staff token 302→desk-door 404 404 303→/desk/quotes/*
POST   /desk/quotes/<public_id>/messages             staff     token  302→desk-door 404 404 422
GET    /desk/quotes/<public_id>/withdraw             staff     token  302→desk-door 404 404 200
POST   /desk/quotes/<public_id>/withdraw             staff     token  302→desk-door 404 404 422
GET    /desk/tax                                     staff     token  302→desk-door 404 404 200
GET    /desk/tax.csv                                 staff     token  302→desk-door 404 404 200
GET    /desk/tax/rates                               staff     token  302→desk-door 404 404 200
POST   /desk/tax/rates                               staff     token  302→desk-door 404 404 422
GET    /desk/tax/rates/<uuid:rate_id>/end            staff     token  302→desk-door 404 404 200
POST   /desk/tax/rates/<uuid:rate_id>/end            staff     token  302→desk-door 404 404 422
GET    /desk/tax/certificates                        staff     token  302→desk-door 404 404 200
POST   /desk/tax/certificates                        staff     token  302→desk-door 404 404 422
GET    /desk/tax/new-certificate                     staff     token  302→desk-door 404 404 200
GET    /desk/tax/certificates/<public_id>            staff     token  302→desk-door 404 404 200
POST   /desk/tax/certificates/<public_id>/revoke     staff     token  302→desk-door 404 404 422
GET    /desk/ledger                                  staff     token  302→desk-door 404 404 200
GET    /desk/ledger/ageing                           staff     token  302→desk-door 404 404 200
GET    /desk/ledger/journal                          staff     token  302→desk-door 404 404 200
GET    /desk/ledger/<what>.csv                       staff     token  302→desk-door 404 404 200
GET    /desk/ledger/accounts/<public_id>             staff     token  302→desk-door 404 404 200
GET    /desk/ledger/accounts/<public_id>/open        staff     token  302→desk-door 404 404 200
GET    /desk/ledger/accounts/<public_id>.csv         staff     token  302→desk-door 404 404 200
POST   /desk/money                                   staff     token  302→desk-door 404 404 422
GET    /desk/money                                   staff     token  302→desk-door 404 404 200
POST   /desk/money/<uuid:item_id>/identify           staff     token  302→desk-door 404 404 422
GET    /desk/money/accounts/<public_id>              staff     token  302→desk-door 404 404 200
POST   /desk/money/accounts/<public_id>/use          staff     token  302→desk-door 404 404 303→/desk/money/*
POST   /desk/money/accounts/<public_id>/pay-out/<uuid:item_id> staff token 302→desk-door 404 404 404
GET    /desk/invoices/<public_id>/lines/<int:number>/dispute staff token 302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/lines/<int:number>/dispute staff token 302→desk-door 404 404 422
GET    /desk/invoices/<public_id>/money              staff     token  302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/contest            staff     token  302→desk-door 404 404 422
POST   /desk/invoices/<public_id>/contest/end        staff     token  302→desk-door 404 404 409
POST   /desk/invoices/<public_id>/applied/<uuid:key>/undo staff token 302→desk-door 404 404 404
POST   /desk/invoices/<public_id>/applied/<uuid:key>/move staff token 302→desk-door 404 404 422
POST   /desk/invoices/<public_id>/write-off          staff     token  302→desk-door 404 404 422
GET    /desk/write-offs                              staff     token  302→desk-door 404 404 200
POST   /desk/write-offs/allowance                    staff     token  302→desk-door 404 404 422
POST   /desk/write-offs/<uuid:write_off_id>/approve  staff     token  302→desk-door 404 404 404
POST   /desk/write-offs/<uuid:write_off_id>/decline  staff     token  302→desk-door 404 404 404
GET    /desk/periods                                 staff     token  302→desk-door 404 404 200
POST   /desk/periods                                 staff     token  302→desk-door 404 404 422
POST   /desk/periods/<uuid:close_id>/reopen          staff     token  302→desk-door 404 404 422
GET    /desk/rates                                   staff     token  302→desk-door 404 404 200
POST   /desk/rates                                   staff     token  302→desk-door 404 404 422
GET    /desk/trials                                  staff     token  302→desk-door 404 404 200
GET    /desk/trials.csv                              staff     token  302→desk-door 404 404 200
GET    /desk/trials/<public_id>                      staff     token  302→desk-door 404 404 200
GET    /desk/trials/report                           staff     token  302→desk-door 404 404 200
GET    /desk/trials/follow-ups                       staff     token  302→desk-door 404 404 200
POST   /desk/trials/follow-ups/<public_id>           staff     token  302→desk-door 404 404 422
GET    /desk/trials/offers                           staff     token  302→desk-door 404 404 200
GET    /desk/trials/offers/new                       staff     token  302→desk-door 404 404 200
POST   /desk/trials/offers/new                       staff     token  302→desk-door 404 404 422
GET    /desk/trials/offers/<code>                    staff     token  302→desk-door 404 404 200
POST   /desk/trials/offers/<code>                    staff     token  302→desk-door 404 404 422
GET    /desk/jobs                                    staff     token  302→desk-door 404 404 200
GET    /desk/audit                                   staff     token  302→desk-door 404 404 200
GET    /desk/audit/chain                             staff     token  302→desk-door 404 404 200
GET    /desk/audit.csv                               staff     token  302→desk-door 404 404 200
GET    /desk/orders.csv                              staff     token  302→desk-door 404 404 200
GET    /desk/invoices.csv                            staff     token  302→desk-door 404 404 200
GET    /desk/payments.csv                            staff     token  302→desk-door 404 404 200
GET    /desk/jobs.csv                                staff     token  302→desk-door 404 404 200
GET    /desk/stock/holds.csv                         staff     token  302→desk-door 404 404 200
GET    /desk/products/export.csv                     staff     token  302→desk-door 404 404 200
GET    /desk/returns.csv                             staff     token  302→desk-door 404 404 200
GET    /desk/quotes/approvals.csv                    staff     token  302→desk-door 404 404 200
GET    /desk/drafts.csv                              staff     token  302→desk-door 404 404 200
GET    /desk/statements/export.csv                   staff     token  302→desk-door 404 404 200
GET    /desk/bill-runs.csv                           staff     token  302→desk-door 404 404 200
GET    /desk/parked.csv                              staff     token  302→desk-door 404 404 200
GET    /desk/reconciler.csv                          staff     token  302→desk-door 404 404 200
GET    /desk/payments/planned.csv                    staff     token  302→desk-door 404 404 200
GET    /desk/chargebacks/export.csv                  staff     token  302→desk-door 404 404 200
GET    /desk/tax/certificates.csv                    staff     token  302→desk-door 404 404 200
GET    /desk/tax/rates.csv                           staff     token  302→desk-door 404 404 200
GET    /desk/write-offs.csv                          staff     token  302→desk-door 404 404 200
GET    /desk/rates.csv                               staff     token  302→desk-door 404 404 200
GET    /desk/trials/follow-ups.csv                   staff     token  302→desk-door 404 404 200
GET    /desk/content.csv                             staff     token  302→desk-door 404 404 200
GET    /desk/content/media.csv                       staff     token  302→desk-door 404 404 200
GET    /desk/content/banners.csv                     staff     token  302→desk-door 404 404 200
GET    /desk/content/consents                        staff     token  302→desk-door 404 404 200
POST   /desk/content/consents                        staff     token  302→desk-door 404 404 422
POST   /desk/content/consents/<code>/end  staff  token  302→desk-door 404 404 303→/desk/content/consents
GET    /desk/content/redirects.csv                   staff     token  302→desk-door 404 404 200
GET    /desk/keys.csv                                staff     token  302→desk-door 404 404 200
GET    /desk/webhooks.csv                            staff     token  302→desk-door 404 404 200
GET    /desk/webhooks/<public_id>/sent.csv           staff     token  302→desk-door 404 404 200
GET    /desk/staff/export.csv                        staff     token  302→desk-door 404 404 200
GET    /desk/jobs/<int:job_id>/discard               staff     token  302→desk-door 404 404 200
POST   /desk/jobs/<int:job_id>/discard               staff     token  302→desk-door 404 404 422
GET    /desk/jobs/<int:job_id>                       staff     token  302→desk-door 404 404 200
POST   /desk/jobs/<int:job_id>/retry                 staff     token  302→desk-door 404 404 303→/desk/jobs/*
GET    /desk/keys                                    staff     token  302→desk-door 404 404 200
POST   /desk/keys                                    staff     token  302→desk-door 404 404 422
GET    /desk/keys/<public_id>/revoke                 staff     token  302→desk-door 404 404 200
POST   /desk/keys/<public_id>/revoke                 staff     token  302→desk-door 404 404 303→/desk/keys
GET    /desk/webhooks                               staff     token  302→desk-door 404 404 200
POST   /desk/webhooks                               staff     token  302→desk-door 404 404 422
GET    /desk/webhooks/<public_id>                   staff     token  302→desk-door 404 404 200
GET    /desk/webhooks/<public_id>/edit              staff     token  302→desk-door 404 404 200
POST   /desk/webhooks/<public_id>/edit              staff     token  302→desk-door 404 404 422
GET    /desk/webhooks/<public_id>/sent/<sent_id> staff token  302→desk-door 404 404 200
POST   /desk/webhooks/<public_id>/sent/<sent_id>/again staff token  302→desk-door 404 404 303→/desk/webhooks*
POST   /desk/webhooks/<public_id>/test              staff     token  302→desk-door 404 404 303→/desk/webhooks*
POST   /desk/webhooks/<public_id>/secret            staff     token  302→desk-door 404 404 200
POST   /desk/webhooks/<public_id>/rotate            staff     token  302→desk-door 404 404 200
POST   /desk/webhooks/<public_id>/again             staff     token  302→desk-door 404 404 303→/desk/webhooks*
POST   /desk/webhooks/<public_id>/switch            staff     token  302→desk-door 404 404 303→/desk/webhooks*
GET    /desk/webhooks/<public_id>/remove            staff     token  302→desk-door 404 404 200
POST   /desk/webhooks/<public_id>/remove            staff     token  302→desk-door 404 404 303→/desk/webhooks
GET    /desk/staff                                   staff     token  302→desk-door 404 404 200
POST   /desk/staff                                   staff     token  302→desk-door 404 404 422
GET    /desk/staff/<public_id>                       staff     token  302→desk-door 404 404 200
GET    /desk/staff/<public_id>/<any('lock-out','reset'):act> staff token 302→desk-door 404 404 200
POST   /desk/staff/<public_id>/roles staff token 302→desk-door 404 404 303→/desk/staff/*
POST   /desk/staff/<public_id>/lock-out staff token 302→desk-door 404 404 303→/desk/staff/*
POST   /desk/staff/<public_id>/let-in staff token 302→desk-door 404 404 303→/desk/staff/*
POST   /desk/staff/<public_id>/reset staff token 302→desk-door 404 404 303→/desk/staff/*
GET    /desk/content                                 staff     token  302→desk-door 404 404 200
GET    /desk/content/new                             staff     token  302→desk-door 404 404 200
POST   /desk/content/new                             staff     token  302→desk-door 404 404 422
GET    /desk/content/pages/<public_id>               staff     token  302→desk-door 404 404 200
GET    /desk/content/pages/<public_id>/edit          staff     token  302→desk-door 404 404 200
POST /desk/content/pages/<public_id>/edit staff token 302→desk-door 404 404 303→/desk/*
GET    /desk/content/pages/<public_id>/preview       staff     token  302→desk-door 404 404 200
POST   /desk/content/pages/<public_id>/preview       staff     token  302→desk-door 404 404 200
GET /desk/content/pages/<public_id>/publish staff token 302→desk-door 404 404 303→/desk/*
POST   /desk/content/pages/<public_id>/publish       staff     token  302→desk-door 404 404 409
POST   /desk/content/pages/<public_id>/take-back     staff     token  302→desk-door 404 404 409
GET    /desk/content/pages/<public_id>/withdraw      staff     token  302→desk-door 404 404 200
POST /desk/content/pages/<public_id>/withdraw staff token 302→desk-door 404 404 303→/desk/*
GET    /desk/content/pages/<public_id>/versions/<int:number> staff     token  302→desk-door 404 404 200
POST /desk/content/pages/<public_id>/versions/<int:number>/back staff token 302→desk-door 404 404 303→/desk/*
GET    /desk/content/pages/<public_id>/address       staff     token  302→desk-door 404 404 200
POST   /desk/content/pages/<public_id>/address       staff     token  302→desk-door 404 404 422
GET    /desk/content/media                           staff     token  302→desk-door 404 404 200
POST   /desk/content/media                           staff     token  302→desk-door 404 404 422
GET    /desk/content/media/<public_id>               staff     token  302→desk-door 404 404 200
POST   /desk/content/media/<public_id>               staff     token  302→desk-door 404 404 422
POST /desk/content/media/<public_id>/<any(retire,offer):act> staff token 302→desk-door 404 404 303→/desk/*
POST   /desk/content/videos                          staff     token  302→desk-door 404 404 422
GET    /desk/content/videos/<public_id>              staff     token  302→desk-door 404 404 200
POST   /desk/content/videos/<public_id>              staff     token  302→desk-door 404 404 422
POST   /desk/content/videos/<public_id>/captions     staff     token  302→desk-door 404 404 422
POST   /desk/content/videos/<public_id>/captions/<language>/off staff token 302→desk-door 404 404 303→/desk/*
GET    /desk/content/menus                           staff     token  302→desk-door 404 404 200
POST   /desk/content/menus/<any(header,footer):place> staff     token  302→desk-door 404 404 409
POST   /desk/content/menus/<any(header,footer):place>/back staff token  302→desk-door 404 404 404
GET    /desk/content/banners                         staff     token  302→desk-door 404 404 200
GET    /desk/content/banners/new                     staff     token  302→desk-door 404 404 200
POST   /desk/content/banners/new                     staff     token  302→desk-door 404 404 422
GET    /desk/content/banners/<public_id>             staff     token  302→desk-door 404 404 200
POST   /desk/content/banners/<public_id>             staff     token  302→desk-door 404 404 422
POST /desk/content/banners/<public_id>/end staff token 302→desk-door 404 404 303→/desk/content/banners
GET    /desk/content/segments                        staff     token  302→desk-door 404 404 200
POST   /desk/content/segments                        staff     token  302→desk-door 404 404 422
GET    /desk/content/segments/<code>                 staff     token  302→desk-door 404 404 200
POST   /desk/content/segments/<code>                 staff     token  302→desk-door 404 404 422
POST /desk/content/segments/<code>/remove staff token 302→desk-door 404 404 303→/desk/content/segments
GET    /desk/content/redirects                       staff     token  302→desk-door 404 404 200
POST   /desk/content/redirects                       staff     token  302→desk-door 404 404 422
POST   /desk/content/redirects/<uuid:redirect_id>/remove staff     token  302→desk-door 404 404 404
GET    /desk/content/brand                           staff     token  302→desk-door 404 404 200
POST   /desk/content/brand                           staff     token  302→desk-door 404 404 422
POST   /desk/content/brand/publish                   staff     token  302→desk-door 404 404 404
GET    /desk/content/brand/preview                   staff     token  302→desk-door 404 404 200
GET    /desk/content/brand/preview.css               staff     token  302→desk-door 404 404 200
GET    /desk/content/mails                           staff     token  302→desk-door 404 404 200
GET    /desk/content/mails/<name>                    staff     token  302→desk-door 404 404 200
GET    /desk/content/mails/<name>/preview-mail       staff     token  302→desk-door 404 404 200
GET    /desk/content/brand/preview-mail              staff     token  302→desk-door 404 404 200
GET    /desk/content/brand/preview.pdf               staff     token  302→desk-door 404 404 200
GET    /desk/styleguide                              staff     token  302→desk-door 404 404 200
# programs: no cookie counts here, what counts is a secret of their own
GET    /healthz                                      everybody none   200
GET    /readyz                                       everybody none   200
GET    /metrics                                      program   none   404
POST   /webhooks/stripe                              program   none   400
GET    /api/v1/openapi.json                          everybody none   200
GET    /api/v1/products                              everybody none   200
GET    /api/v1/products/<slug>                       everybody none   200
GET    /api/v1/products/<slug>/variants/<sku>/numbers everybody none  200
GET    /api/v1/pages                                 everybody none   200
GET    /api/v1/pages/<slug>                          everybody none   200
GET    /api/v1/menus/<place>                         everybody none   200
POST   /api/v1/desk/parcels/<parcel_id>/arrived      program   none   401
GET    /api/v1/desk/media                            program   none   401
GET    /api/v1/desk/media/<media_id>                 program   none   401
POST   /api/v1/desk/pictures                         program   none   401
POST   /api/v1/desk/videos                           program   none   401
POST   /api/v1/desk/videos/<media_id>/captions       program   none   401
GET    /api/v1/desk/trial-offers                     program   none   401
POST   /api/v1/desk/trial-offers                     program   none   401
PUT    /api/v1/desk/trial-offers/<code>              program   none   401
GET    /api/v1/desk/pages                            program   none   401
POST   /api/v1/desk/pages                            program   none   401
GET    /api/v1/desk/pages/<page_id>                  program   none   401
POST   /api/v1/desk/pages/<page_id>/draft            program   none   401
PUT    /api/v1/desk/pages/<page_id>/draft            program   none   401
PUT    /api/v1/desk/pages/<page_id>/address          program   none   401
POST   /api/v1/desk/pages/<page_id>/publish          program   none   401
POST   /api/v1/desk/pages/<page_id>/withdraw         program   none   401
POST   /api/v1/carts                                 everybody none   201→/api/v1/carts/*
GET    /api/v1/carts/<cart_id>                       everybody none   200
PATCH  /api/v1/carts/<cart_id>                       everybody none   200
POST   /api/v1/carts/<cart_id>/lines                 everybody none   201
PATCH  /api/v1/carts/<cart_id>/lines/<line_id>       everybody none   200
DELETE /api/v1/carts/<cart_id>/lines/<line_id>       everybody none   204
POST   /api/v1/carts/<cart_id>/lines/<line_id>/save  everybody none   200
PUT    /api/v1/carts/<cart_id>/lines/<line_id>/number everybody none  422
POST   /api/v1/carts/<cart_id>/saved/<saved_id>/take everybody none   200
DELETE /api/v1/carts/<cart_id>/saved/<saved_id>      everybody none   204
GET    /api/v1/checkout-terms                        everybody none   200
POST   /api/v1/account/orders/claim                  program   none   401
GET    /api/v1/account/consents                      program   none   401
POST   /api/v1/account/consents/withdraw             program   none   401
GET    /api/v1/desk/customers/<account_number>/consents program none   401
GET    /api/v1/carts/<cart_id>/slots                 everybody none   200
POST   /api/v1/carts/<cart_id>/share                 everybody none   201
GET    /api/v1/shared-carts/<shared_cart_id>         everybody none   200
POST   /api/v1/carts/<cart_id>/take                  everybody none   404
POST   /api/v1/carts/<cart_id>/checkout              everybody none   201→/api/v1/orders/*
GET    /api/v1/orders/<order_id>                     program   none   401
POST   /api/v1/orders/<order_id>/returns             program   none   401
# a customer's token, and a key of the desk
GET    /api/v1/account/services                         program   none   401
GET    /api/v1/account/services/<service_id>            program   none   401
GET    /api/v1/account/services/<service_id>/usage      program   none   401
POST   /api/v1/account/services/<service_id>/preview    program   none   401
POST   /api/v1/account/services/<service_id>/change     program   none   401
POST   /api/v1/account/services/<service_id>/pause      program   none   401
POST   /api/v1/account/services/<service_id>/resume     program   none   401
POST   /api/v1/account/services/<service_id>/end        program   none   401
POST   /api/v1/account/services/<service_id>/keep       program   none   401
GET    /api/v1/account/<account_number>/may-use/<feature> program none 401
GET    /api/v1/desk/services                         program   none   401
GET    /api/v1/desk/services/<service_id>            program   none   401
GET    /api/v1/desk/services/<service_id>/usage      program   none   401
POST   /api/v1/desk/services/<service_id>/preview    program   none   401
POST   /api/v1/desk/services/<service_id>/change     program   none   401
POST   /api/v1/desk/services/<service_id>/pause      program   none   401
POST   /api/v1/desk/services/<service_id>/resume     program   none   401
POST   /api/v1/desk/services/<service_id>/end        program   none   401
POST   /api/v1/desk/services/<service_id>/keep       program   none   401
POST   /api/v1/desk/services/<service_id>/activate   program   none   401
GET    /api/v1/account/trial-offers                  program   none   401
GET    /api/v1/account/cards                         program   none   401
POST   /api/v1/account/cards                         program   none   401
POST   /api/v1/account/cards/<card_id>/default       program   none   401
POST   /api/v1/account/cards/<card_id>/remove        program   none   401
POST   /api/v1/account/cards/<card_id>/instead       program   none   401
GET    /api/v1/account/autopay                       program   none   401
POST   /api/v1/account/autopay                       program   none   401
POST   /api/v1/account/autopay/stop                  program   none   401
GET    /api/v1/account/scheduled-payments            program   none   401
POST   /api/v1/account/scheduled-payments            program   none   401
POST   /api/v1/account/scheduled-payments/preview    program   none   401
GET    /api/v1/account/scheduled-payments/<payment_id> program none 401
POST   /api/v1/account/scheduled-payments/<payment_id>/change program none 401
POST   /api/v1/account/scheduled-payments/<payment_id>/cancel program none 401
POST   /api/v1/account/scheduled-payments/<payment_id>/try-again program none 401
GET    /api/v1/desk/accounts/<account_number>/cards  program   none   401
GET    /api/v1/desk/accounts/<account_number>/scheduled-payments program none 401
GET    /api/v1/account/trials                        program   none   401
GET    /api/v1/account/trials/<trial_id>             program   none   401
POST   /api/v1/account/trials                        program   none   401
POST   /api/v1/account/trials/<trial_id>/cancel      program   none   401
POST   /api/v1/account/trials/<trial_id>/keep        program   none   401
POST   /api/v1/account/trials/<trial_id>/go-on       program   none   401
GET    /api/v1/account/quotes                        program   none   401
GET    /api/v1/account/quotes/<quote_id>             program   none   401
POST   /api/v1/account/quotes                        program   none   401
POST   /api/v1/account/quotes/<quote_id>/accept      program   none   401
POST   /api/v1/account/quotes/<quote_id>/decline     program   none   401
POST   /api/v1/account/quotes/<quote_id>/messages    program   none   401
GET    /api/v1/account/disputes                      program   none   401
GET    /api/v1/account/disputes/<dispute_id>         program   none   401
GET    /api/v1/account/disputes/<dispute_id>/pictures/<picture_id> program none 401
POST   /api/v1/account/disputes                      program   none   401
POST   /api/v1/account/disputes/<dispute_id>/messages program  none   401
POST   /api/v1/account/disputes/<dispute_id>/withdraw program  none   401
POST   /api/v1/account/disputes/<dispute_id>/refund  program   none   401
GET    /api/v1/desk/provisioning                     program   none   401
GET    /api/v1/desk/provisioning/<provisioning_id>   program   none   401
POST   /api/v1/desk/provisioning/<provisioning_id>/try-again program none 401
POST   /api/v1/desk/provisioning/<provisioning_id>/done program none 401
GET    /api/v1/desk/chargebacks                      program   none   401
GET    /api/v1/desk/chargebacks/<chargeback_id>      program   none   401
POST   /api/v1/desk/chargebacks/<chargeback_id>/evidence program none  401
POST   /api/v1/desk/chargebacks/<chargeback_id>/evidence/send program none 401
GET    /api/v1/desk/disputes                         program   none   401
GET    /api/v1/desk/disputes/<dispute_id>            program   none   401
GET    /api/v1/desk/disputes/<dispute_id>/pictures/<picture_id> program none 401
POST   /api/v1/desk/disputes/<dispute_id>/messages   program   none   401
POST   /api/v1/desk/disputes/<dispute_id>/decision   program   none   401
POST   /api/v1/desk/disputes/<dispute_id>/second     program   none   401
GET    /api/v1/desk/quotes                           program   none   401
GET    /api/v1/desk/quotes/<quote_id>                program   none   401
POST   /api/v1/desk/quotes                           program   none   401
POST   /api/v1/desk/quotes/<quote_id>/draft          program   none   401
POST   /api/v1/desk/quotes/<quote_id>/versions       program   none   401
POST   /api/v1/desk/quotes/<quote_id>/approval       program   none   401
POST   /api/v1/desk/quotes/<quote_id>/decision       program   none   401
POST   /api/v1/desk/quotes/<quote_id>/send           program   none   401
POST   /api/v1/desk/quotes/<quote_id>/withdraw       program   none   401
POST   /api/v1/desk/quotes/<quote_id>/messages       program   none   401
GET    /api/v1/desk/products                         program   none   401
POST   /api/v1/desk/products                         program   none   401
GET    /api/v1/desk/products/<slug>                  program   none   401
PATCH  /api/v1/desk/products/<slug>                  program   none   401
POST   /api/v1/desk/products/<slug>/variants         program   none   401
PATCH  /api/v1/desk/products/<slug>/variants/<sku>   program   none   401
GET    /api/v1/desk/products/<slug>/variants/<sku>/prices program none 401
PUT    /api/v1/desk/products/<slug>/variants/<sku>/prices program none 401
PUT    /api/v1/desk/products/<slug>/variants/<sku>/pieces program none 401
GET    /api/v1/desk/price-lists                      program   none   401
POST   /api/v1/desk/price-lists                      program   none   401
POST   /api/v1/desk/price-lists/<code>/end           program   none   401
GET    /api/v1/desk/orders                           program   none   401
GET    /api/v1/desk/orders/<order_id>                program   none   401
POST   /api/v1/desk/orders/<order_id>/approve        program   none   401
GET    /api/v1/desk/order-checks                      program   none   401
PUT    /api/v1/desk/order-checks                      program   none   401
POST   /api/v1/desk/orders/<order_id>/ship           program   none   401
POST   /api/v1/desk/orders/<order_id>/ready          program   none   401
GET    /api/v1/desk/pick-ups                         program   none   401
POST   /api/v1/desk/pick-ups/<pick_up_id>/hand-over  program   none   401
POST   /api/v1/desk/pick-ups/<pick_up_id>/put-back   program   none   401
POST   /api/v1/desk/orders/<order_id>/fulfil         program   none   401
POST   /api/v1/desk/orders/<order_id>/cancel         program   none   401
POST   /api/v1/desk/orders/<order_id>/returns        program   none   401
POST   /api/v1/desk/orders/<order_id>/changes        program   none   401
POST   /api/v1/desk/orders/<order_id>/changes/preview program none 401
POST   /api/v1/desk/returns/<return_id>/money        program   none   401
POST   /api/v1/desk/orders/<order_id>/refund         program   none   401
POST   /api/v1/desk/returns/<return_id>/receive      program   none   401
POST   /api/v1/desk/returns/<return_id>/withdraw     program   none   401
POST   /api/v1/desk/returns/<return_id>/accept       program   none   401
POST   /api/v1/desk/returns/<return_id>/decline      program   none   401
GET    /api/v1/desk/stock                            program   none   401
POST   /api/v1/desk/stock/adjustments                program   none   401
PUT    /api/v1/desk/stock/limits                     program   none   401
POST   /api/v1/stock-waits                           everybody none   400
GET    /api/v1/desk/stock-waits                      program   none   401
POST   /api/v1/desk/stock/imports                    program   none   401
GET    /api/v1/desk/pools                            program   none   401
POST   /api/v1/desk/pools                            program   none   401
GET    /api/v1/desk/pools/<sku>                      program   none   401
PUT    /api/v1/desk/pools/<sku>                      program   none   401
GET    /api/v1/desk/pools/<sku>/numbers              program   none   401
POST   /api/v1/desk/pools/<sku>/numbers              program   none   401
POST   /api/v1/desk/pools/<sku>/numbers/<number_id>/withdraw program none 401
POST   /api/v1/desk/pools/<sku>/numbers/<number_id>/release program none 401
POST   /api/v1/desk/pools/<sku>/numbers/<number_id>/restore program none 401
GET    /api/v1/desk/transfers                        program   none   401
POST   /api/v1/desk/transfers                        program   none   401
POST   /api/v1/desk/transfers/<transfer_id>/arrivals program   none   401
GET    /api/v1/desk/hold-policies                    program   none   401
PUT    /api/v1/desk/hold-policies                    program   none   401
DELETE /api/v1/desk/hold-policies/<policy_id>        program   none   401
GET    /api/v1/desk/locations                        program   none   401
PUT    /api/v1/desk/locations/<code>                 program   none   401
GET    /api/v1/desk/customers                        program   none   401
POST   /api/v1/desk/customers                        program   none   401
GET    /api/v1/desk/customers/<account_number>       program   none   401
PUT    /api/v1/desk/customers/<account_number>       program   none   401
GET    /api/v1/desk/bill-runs                        program   none   401
GET    /api/v1/desk/bill-runs/<run_id>               program   none   401
POST   /api/v1/desk/bill-runs                        program   none   401
GET    /api/v1/account/past-due                      program   none   401
POST   /api/v1/account/past-due/<case_id>/promise    program   none   401
GET    /api/v1/desk/past-due                         program   none   401
GET    /api/v1/desk/past-due/<case_id>               program   none   401
GET    /api/v1/desk/parked-accounts                  program   none   401
POST   /api/v1/desk/parked-accounts/<parking_id>/release program none 401
GET    /api/v1/desk/webhooks                        program   none   401
POST   /api/v1/desk/webhooks                        program   none   401
GET    /api/v1/desk/webhooks/<webhook_id>           program   none   401
PUT    /api/v1/desk/webhooks/<webhook_id>           program   none   401
DELETE /api/v1/desk/webhooks/<webhook_id>           program   none   401
POST   /api/v1/desk/webhooks/<webhook_id>/switch    program   none   401
POST   /api/v1/desk/webhooks/<webhook_id>/secret    program   none   401
POST   /api/v1/desk/webhooks/<webhook_id>/test      program   none   401
GET    /api/v1/desk/webhooks/<webhook_id>/deliveries program   none   401
GET    /api/v1/desk/webhooks/<webhook_id>/deliveries/<delivery_id> program   none   401
POST   /api/v1/desk/webhooks/<webhook_id>/deliveries/<delivery_id>/again program   none   401
GET    /api/v1/desk/back-orders                      program   none   401
POST   /api/v1/desk/back-orders/release              program   none   401
GET    /api/v1/desk/delivery                         program   none   401
PUT    /api/v1/desk/delivery/ways/<country>/<code>   program   none   401
PUT    /api/v1/desk/delivery/zones/<code>            program   none   401
GET    /api/v1/desk/delivery/times                   program   none   401
POST   /api/v1/desk/delivery/times                   program   none   401
PUT    /api/v1/desk/delivery/times/<slot_id>         program   none   401
PUT    /api/v1/desk/checkout-terms/<code>            program   none   401
DELETE /api/v1/desk/checkout-terms/<code>            program   none   401
POST   /api/v1/desk/usage                            program   none   401
GET    /api/v1/desk/accounts/<account_number>/may-use/<feature> program none 401
"""

#: A key that nothing has.
_NOBODYS = "01900000-0000-7000-8000-000000000000"
#: Names of ids in the API's addresses of customers and staff.
_IDS = (
    "<case_id>",
    "<service_id>",
    "<trial_id>",
    "<quote_id>",
    "<dispute_id>",
    "<chargeback_id>",
    "<provisioning_id>",
    "<picture_id>",
    "<run_id>",
    "<parking_id>",
    "<card_id>",
    "<payment_id>",
    "<webhook_id>",
    "<delivery_id>",
    "<order_id>",
    "<return_id>",
    "<parcel_id>",
    "<pick_up_id>",
    "<slot_id>",
    "<code>",
)
#: What goes into an address: for one route, else for all under a path. A name in braces is filled in from
#: ``Stage.ids`` or made by ``Names``.
_PLACES = {
    "POST /pay/": {"<public_id>": "{operation}"},
    "POST /pay/<public_id>/cancelled": {"<public_id>": "{fresh_operation}"},
    "POST /methods/": {"<public_id>": "{setup}"},
    "POST /methods/<public_id>/cancelled": {"<public_id>": "{fresh_setup}"},
    "GET /methods/": {"<public_id>": "{setup}"},
    "GET /pay/": {"<public_id>": "{operation}"},
    "GET /back-in-stock/": {"<sku>": "FW-CAM-1"},
    "POST /back-in-stock/": {"<sku>": "FW-CAM-1"},
    "GET /w/": {"<public_id>": "{wait}", "<token>": "{wait_token}"},
    "POST /w/": {"<public_id>": "{wait}", "<token>": "{wait_token}"},
    "POST /desk/stock/waits/": {"<public_id>": "{wait}"},
    "GET /numbers/": {"<sku>": "{pool_sku}"},
    "GET /api/v1/products/<slug>/variants/": {"<slug>": "{pool_slug}", "<sku>": "{pool_sku}"},
    "GET /desk/stock/numbers/": {
        "<uuid:pool_id>": "{pool}",
        "<uuid:number_id>": "{pool_number}",
    },
    "POST /desk/stock/numbers/": {
        "<uuid:pool_id>": "{pool}",
        "<uuid:number_id>": "{pool_number}",
    },
    **{
        f"{method} /api/v1/desk/pools/": {
            "<sku>": "FW-CAM-1",
            "<number_id>": "0",
        }
        for method in ("GET", "PUT", "POST")
    },
    "PUT /api/v1/carts/": {"<cart_id>": "{cart}", "<line_id>": "{line}"},
    "POST /desk/stock/back-orders/": {"<uuid:key>": "{back_order}"},
    "POST /o/": {"<public_id>": "{guest_order}", "<token>": "{guest_order_token}"},
    **{
        f"{method} /o/<public_id>/<token>/{what}/": {
            "<public_id>": "{guest_billed}",
            "<token>": "{guest_billed_token}",
            "<invoice_id>": "{guest_billed_bill}",
            "<int:number>": "1",
            "<dispute_id>": "{guest_dispute}",
        }
        for method in ("GET", "POST")
        for what in ("bills/<invoice_id>/lines", "disputes")
    },
    "GET /o/": {
        "<public_id>": "{riley_order}",
        "<token>": "{riley_order_token}",
        "<invoice_id>": "{riley_bill}",
    },
    "GET /q/": {
        "<public_id>": "{riley_quote}",
        "<token>": "{riley_quote_token}",
        "<int:number>": "1",
    },
    "POST /q/": {"<public_id>": "{riley_quote}", "<token>": "{riley_quote_token}"},
    "GET /account/quotes/": {"<public_id>": "{riley_quote}", "<int:number>": "1"},
    "POST /account/quotes/": {"<public_id>": "{riley_quote}"},
    "GET /desk/quotes/": {"<public_id>": "{riley_quote}"},
    "POST /desk/quotes/": {"<public_id>": "{riley_quote}"},
    "GET /gift-card/": {"<public_id>": "{gift_card}", "<token>": "{gift_card_token}"},
    "POST /desk/orders/": {"<public_id>": "{riley_order}"},
    "POST /desk/payments/": {
        "<public_id>": "{riley_payment}",
        "<uuid:refund_id>": "01a202b4-b636-73c0-8a49-23cb0a1ea9c7",
    },
    "GET /desk/stock/holds/": {"<uuid:hold_id>": "{held}"},
    "POST /desk/stock/holds/": {"<uuid:hold_id>": "{held}"},
    "POST /api/v1/desk/transfers/": {"<transfer_id>": "01a202b4-b636-73c0-8a49-23cb0a1ea9c7"},
    "GET /desk/stock/transfers/": {"<uuid:transfer_id>": "{transfer}"},
    "POST /desk/stock/transfers/": {"<uuid:transfer_id>": "{transfer}"},
    "GET /desk/stock/": {"<uuid:level_id>": "{level}", "<code>": "harbor"},
    "POST /desk/stock/": {
        "<uuid:level_id>": "{level}",
        "<code>": "harbor",
        "<uuid:policy_id>": "01a202b4-b636-73c0-8a49-23cb0a1ea9c7",
    },
    "DELETE /api/v1/desk/hold-policies/": {"<policy_id>": "01a202b4-b636-73c0-8a49-23cb0a1ea9c7"},
    "GET /desk/customers/": {"<public_id>": "{riley_account}"},
    "POST /desk/customers/": {"<public_id>": "{riley_account}"},
    "GET /desk/delivery/": {
        "<country>": "US",
        "<code>": "standard",
        "<public_id>": "{visit_slot}",
    },
    "POST /desk/delivery/": {"<public_id>": "{visit_slot}"},
    "GET /desk/products/": {"<slug>": "porch-camera", "<sku>": "FW-CAM-1"},
    "POST /desk/price-lists/": {"<code>": "nothing"},
    "POST /desk/products/": {"<slug>": "porch-camera", "<sku>": "FW-CAM-1"},
    "PATCH /api/v1/desk/": {"<slug>": "{slug}", "<sku>": "FW-CAM-1"},
    "GET /desk/phone-orders/": {"<cart_id>": "{phone_cart}"},
    "POST /desk/phone-orders/": {"<cart_id>": "{phone_cart}", "<line_id>": "0" * 32},
    "GET /desk/parcels/": {"<public_id>": "{parcel}"},
    "POST /desk/parcels/": {"<public_id>": "{parcel}"},
    "POST /desk/pick-ups/": {"<public_id>": "{pick_up}"},
    "GET /desk/returns/": {"<public_id>": "{order_return}"},
    "POST /desk/returns/": {"<public_id>": "{order_return}"},
    "POST /desk/returns/<public_id>/accept": {"<public_id>": "{asked_return}"},
    "POST /desk/returns/<public_id>/decline": {"<public_id>": "{asked_return}"},
    "GET /desk/gift-cards/": {"<public_id>": "{gift_card}"},
    "POST /desk/gift-cards/": {"<public_id>": "{gift_card}"},
    "GET /trials/": {"<code>": "{trial_offer}"},
    "POST /trials/": {"<code>": "{trial_offer}"},
    "GET /trial/": {"<public_id>": "{trial}", "<token>": "{trial_token}"},
    "POST /trial/": {"<public_id>": "{trial}", "<token>": "{trial_token}"},
    "GET /account/cards/": {"<public_id>": "{riley_card}"},
    "POST /account/cards/": {"<public_id>": "{riley_card}"},
    "GET /account/scheduled/": {"<public_id>": "{riley_scheduled}"},
    "POST /account/scheduled/": {"<public_id>": "{riley_scheduled}"},
    "GET /account/trials/": {"<public_id>": "{trial}"},
    "POST /account/trials/": {"<public_id>": "{trial}"},
    "GET /due/": {"<public_id>": "{riley_account}", "<token>": "{pay_token}"},
    "POST /due/": {"<public_id>": "{riley_account}", "<token>": "{pay_token}"},
    "GET /desk/reconciler/": {"<public_id>": "{round}"},
    "GET /desk/past-due/": {"<public_id>": "{late}"},
    "POST /desk/past-due/": {"<public_id>": "{late}"},
    "GET /account/past-due/": {"<public_id>": "{late}"},
    "POST /account/past-due/": {"<public_id>": "{late}"},
    "GET /desk/trials/": {"<public_id>": "{trial}", "<code>": "{trial_offer}"},
    "POST /desk/trials/": {"<public_id>": "{trial_call}", "<code>": "{trial_offer}"},
    "GET /c/": {"<slug>": "devices"},
    "GET /p/": {"<slug>": "{slug}"},
    "GET /static/": {"<path:filename>": "css/base.css"},
    "GET /pages/": {"<slug>": "{page}"},
    "GET /desk/content/videos/": {"<public_id>": "{video}"},
    "POST /desk/content/videos/": {"<public_id>": "{video}", "<language>": "en"},
    "GET /media/": {
        "<language>": "en",
        "<digest>": "0" * 16,
        "<public_id>": "{picture}",
        "<int:width>": "480",
        "<suffix>": "jpg",
    },
    "GET /brand/": {"<int:number>": "{brand_kit}"},
    "GET /sitemap/": {"<int:number>": "0"},
    "GET /desk/content/pages/": {"<public_id>": "{content_page}", "<int:number>": "1"},
    "POST /desk/content/pages/": {"<public_id>": "{content_page}", "<int:number>": "1"},
    "GET /desk/content/media/": {"<public_id>": "{picture}"},
    "POST /desk/content/media/": {"<public_id>": "{picture}", "<any(retire,offer):act>": "retire"},
    "POST /desk/content/menus/": {"<any(header,footer):place>": "footer"},
    "GET /desk/content/banners/": {"<public_id>": "{banner}"},
    "POST /desk/content/banners/": {"<public_id>": "{banner}"},
    "GET /desk/content/segments/": {"<code>": "{segment}"},
    "POST /desk/content/segments/": {"<code>": "{segment}"},
    "POST /desk/content/consents/": {"<code>": "{consent}"},
    "POST /desk/content/redirects/": {"<uuid:redirect_id>": _NOBODYS},
    "POST /cart/": {"<line_id>": "{line}", "<saved_id>": "{saved}", "<public_id>": "{shared}"},
    "GET /cart/shared/": {"<public_id>": "{shared}"},
    "GET /api/v1/shared-carts/": {"<shared_cart_id>": "{shared}"},
    "GET /account/reset/": {"<token>": "{reset_link}"},
    "POST /account/reset/": {"<token>": "{reset_link}"},
    "GET /account/invite/": {"<token>": "{invite_link}"},
    "POST /account/invite/": {"<token>": "{invite_link}"},
    "GET /account/verify/": {"<token>": "{verify_link}"},
    "POST /account/verify/": {"<token>": "{fresh_verify_link}"},
    "GET /account/bills/": {"<public_id>": "{riley_bill}", "<int:number>": "1"},
    "GET /account/statements/": {"<public_id>": "{riley_statement}"},
    "GET /desk/statements/": {"<public_id>": "{riley_statement}"},
    "GET /desk/bill-runs/": {"<public_id>": "{bill_run}"},
    "GET /desk/parked/": {"<public_id>": "{parked}"},
    "POST /desk/parked/": {"<public_id>": "{parked}"},
    "GET /account/services/": {"<public_id>": "{riley_service}"},
    "POST /account/services/": {"<public_id>": "{riley_service}"},
    "GET /desk/services/": {"<public_id>": "{riley_service}"},
    "POST /desk/services/": {"<public_id>": "{riley_service}"},
    "GET /account/payments/": {"<public_id>": "{riley_payment}"},
    "GET /desk/orders/": {"<public_id>": "{riley_order}"},
    "GET /desk/invoices/": {"<public_id>": "{riley_bill}", "<int:number>": "1"},
    "POST /desk/invoices/": {
        "<public_id>": "{riley_bill}",
        "<int:number>": "1",
        "<uuid:key>": _NOBODYS,
    },
    "GET /account/disputes/": {"<public_id>": "{dispute}", "<file_id>": "{dispute_file}"},
    "POST /account/disputes/": {"<public_id>": "{dispute}"},
    "POST /account/bills/": {"<public_id>": "{riley_bill}", "<int:number>": "1"},
    "GET /desk/content/mails/": {"<name>": "bill"},
    "GET /desk/provisioning/": {"<public_id>": "{provisioning}"},
    "POST /desk/provisioning/": {"<public_id>": "{provisioning}"},
    "GET /desk/chargebacks/": {"<public_id>": "{chargeback}", "<file_id>": "{chargeback_file}"},
    "POST /desk/chargebacks/": {"<public_id>": "{chargeback}"},
    "GET /desk/disputes/": {"<public_id>": "{dispute}", "<file_id>": "{dispute_file}"},
    "POST /desk/disputes/": {"<public_id>": "{dispute}"},
    "GET /desk/ledger/<what>": {"<what>": "ageing"},
    "GET /desk/ledger/accounts/": {"<public_id>": "{riley_account}"},
    "POST /desk/invoices/<public_id>/void": {"<public_id>": "{spare_bill}"},
    "GET /desk/drafts/": {"<public_id>": "{draft}"},
    "POST /desk/drafts/": {"<public_id>": "{draft}"},
    "GET /desk/terms/": {"<account_number>": "{riley_number}"},
    "POST /desk/terms/": {"<account_number>": "{riley_number}"},
    "GET /desk/payments/planned/": {"<public_id>": "{riley_scheduled}"},
    "GET /desk/payments/cards/": {"<account_number>": "{riley_number}"},
    "GET /desk/payments/": {"<public_id>": "{riley_payment}"},
    "GET /desk/tax/rates/": {"<uuid:rate_id>": "{tax_rate}"},
    "POST /desk/tax/rates/": {"<uuid:rate_id>": "{tax_rate}"},
    "GET /desk/tax/certificates/": {"<public_id>": "{certificate}"},
    "POST /desk/tax/certificates/": {"<public_id>": "{certificate}"},
    "POST /desk/money/": {"<uuid:item_id>": _NOBODYS, "<public_id>": "{riley_account}"},
    "GET /desk/money/accounts/": {"<public_id>": "{riley_account}"},
    "POST /desk/write-offs/": {"<uuid:write_off_id>": _NOBODYS},
    "POST /desk/periods/": {"<uuid:close_id>": _NOBODYS},
    "GET /desk/jobs/": {"<int:job_id>": "{job}"},
    "GET /desk/jobs/<int:job_id>/discard": {"<int:job_id>": "{dead_job}"},
    "POST /desk/jobs/": {"<int:job_id>": "{dead_job}"},
    "GET /account/tokens/": {"<public_id>": "{riley_token}"},
    "POST /account/tokens/": {"<public_id>": "{riley_token}"},
    "GET /desk/staff/": {"<public_id>": "{colleague}", "<any('lock-out','reset'):act>": "lock-out"},
    "POST /desk/staff/": {"<public_id>": "{colleague}"},
    "GET /desk/keys/": {"<public_id>": "{key}"},
    "POST /desk/keys/": {"<public_id>": "{key}"},
    "GET /desk/webhooks/": {"<public_id>": "{hook}", "<sent_id>": "{hook_delivery}"},
    "POST /desk/webhooks/": {"<public_id>": "{hook}", "<sent_id>": "{hook_delivery}"},
    "POST /desk/webhooks/<public_id>/switch": {"<public_id>": "{spare_hook}"},
    "POST /desk/webhooks/<public_id>/remove": {"<public_id>": "{spare_hook}"},
    "PUT /api/v1/desk/": dict.fromkeys(_IDS, "0" * 32)
    | {"<account_number>": "123456789", "<country>": "US"},
    "DELETE /api/v1/desk/": dict.fromkeys(_IDS, "0" * 32),
    "GET /api/v1/products/": {"<slug>": "{slug}"},
    "GET /api/v1/pages/": {"<slug>": "{page}"},
    "GET /api/v1/menus/": {"<place>": "footer"},
    "GET /api/v1/desk/media/": {"<media_id>": "0" * 32},
    "POST /api/v1/desk/videos/": {"<media_id>": "0" * 32},
    "PUT /api/v1/desk/trial-offers/": {"<code>": "burrow-30-days"},
    "GET /api/v1/desk/pages/": {"<page_id>": "0" * 32},
    "POST /api/v1/desk/pages/": {"<page_id>": "0" * 32},
    "PUT /api/v1/desk/pages/": {"<page_id>": "0" * 32},
    "GET /api/v1/orders/": {"<order_id>": "{riley_order}"},
    "POST /api/v1/orders/": {"<order_id>": "{riley_order}"},
    "GET /api/v1/account/": {
        "<service_id>": "0" * 32,
        "<case_id>": "0" * 32,
        "<trial_id>": "0" * 32,
        "<quote_id>": "0" * 32,
        "<dispute_id>": "0" * 32,
        "<chargeback_id>": "0" * 32,
        "<picture_id>": "0" * 32,
        "<run_id>": "0" * 32,
        "<payment_id>": "0" * 32,
        "<account_number>": "123456789",
        "<feature>": "internet",
    },
    "GET /api/v1/desk/products/": {"<slug>": "{slug}", "<sku>": "FW-CAM-1"},
    "PUT /api/v1/desk/locations/": {"<code>": "harbor"},
    "PUT /api/v1/desk/products/": {"<slug>": "{slug}", "<sku>": "FW-CAM-1"},
    "POST /api/v1/desk/price-lists/": {"<code>": "nothing"},
    "POST /api/v1/desk/products/": {"<slug>": "{slug}"},
    "GET /api/v1/desk/": {
        "<provisioning_id>": "0" * 32,
        "<order_id>": "0" * 32,
        "<service_id>": "0" * 32,
        "<case_id>": "0" * 32,
        "<trial_id>": "0" * 32,
        "<quote_id>": "0" * 32,
        "<dispute_id>": "0" * 32,
        "<chargeback_id>": "0" * 32,
        "<picture_id>": "0" * 32,
        "<run_id>": "0" * 32,
        "<payment_id>": "0" * 32,
        "<account_number>": "123456789",
        "<feature>": "internet",
        "<webhook_id>": "0" * 32,
        "<delivery_id>": "0" * 32,
    },
    "POST /api/v1/account/": dict.fromkeys(_IDS, "0" * 32),
    "POST /api/v1/desk/": dict.fromkeys(_IDS, "0" * 32),
    "GET /api/v1/carts/": {"<cart_id>": "{cart}"},
    "POST /api/v1/carts/": {
        "<cart_id>": "{cart}",
        "<line_id>": "{line}",
        "<saved_id>": "{saved}",
    },
    "PATCH /api/v1/carts/": {"<cart_id>": "{cart}", "<line_id>": "{line}"},
    "DELETE /api/v1/carts/": {
        "<cart_id>": "{cart}",
        "<line_id>": "{line}",
        "<saved_id>": "{saved}",
    },
}
_FORMS = {
    "POST /desk/products/<slug>/publish": {"shown": "yes"},
    "POST /cart/lines": {"sku": "FW-VISIT"},
    "POST /cart/lines/<line_id>": {"quantity": "2"},
    "POST /checkout": {"step": "total"},
    "POST /desk/content/menus/<any(header,footer):place>": {"revision": "999"},
    "POST /account/forgot": {"email": "stranger@example.com"},
    "POST /account/reset/<token>": {"password": "short"},
    "POST /account/invite/<token>": {"password": "short"},
    "POST /account/pay": {"bill": "{riley_bill}"},
}
_BODIES = {
    "POST /webhooks/stripe": {"id": "evt_1"},
    "PATCH /api/v1/carts/<cart_id>": {"shipping_address": ADDRESS},
    "POST /api/v1/carts/<cart_id>/lines": {"sku": "FW-VISIT", "quantity": 1},
    "PATCH /api/v1/carts/<cart_id>/lines/<line_id>": {"quantity": 2},
    "PUT /api/v1/carts/<cart_id>/lines/<line_id>/number": {"number": "020 7946 0999"},
    "POST /api/v1/carts/<cart_id>/take": {"shared_cart": "0" * 32},
    "POST /api/v1/carts/<cart_id>/checkout": {
        "email": "guest@example.com",
        "shipping_address": ADDRESS,
        "payment": {"method": "invoice"},
    },
}
_DOORS = {"account": "/account", "door": "/account/login", "desk-door": "/desk/login"}


@dataclass(frozen=True)
class Route:
    """One line of the table, and a request to be made of it."""

    method: str
    rule: str
    who: Who
    guard: Guard
    #: By person: a status, with the path of a redirect behind it.
    gets: Mapping[str, str]
    path: str
    form: Mapping[str, str]
    body: Any

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def is_for_programs(self) -> bool:
        return self.rule.startswith(("/api/", "/webhooks/"))


def _read(table: str) -> Iterator[Route]:
    for line in table.strip().splitlines():
        if line.startswith("#"):
            continue
        method, rule, who, guard, *gets = line.split()
        name = f"{method} {rule}"
        told = [_told(one) for one in (gets * 4 if len(gets) == 1 else gets)]
        yield Route(
            method,
            rule,
            Who(who),
            Guard(guard),
            dict(zip(EVERYBODY, told, strict=True)),
            _filled(name).removeprefix(f"{method} "),
            _FORMS.get(name, {}),
            _BODIES.get(name),
        )


def _told(text: str) -> str:
    status, _, target = text.partition("→")
    return f"{status} {_DOORS.get(target, target)}".strip()


def _filled(name: str) -> str:
    path = name
    for start in sorted(_PLACES, key=len, reverse=True):
        if name.startswith(start):
            for variable, value in _PLACES[start].items():
                path = path.replace(variable, value)
    return path


ROUTES = tuple(_read(TABLE))
