"""Domains where anybody may have an address, so that they say nothing of a company."""

from typing import Final

FREE_MAIL: Final = frozenset(
    """
    126.com 139.com 163.com 21cn.com abv.bg aim.com aliyun.com alice.it aol.com arcor.de att.net bellsouth.net
    bigpond.com bluewin.ch bol.com.br btinternet.com centrum.cz charter.net comcast.net cox.net daum.net duck.com
    earthlink.net email.cz email.it fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de gmail.com gmx.at
    gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net hey.com hotmail.be hotmail.co.uk hotmail.com hotmail.de
    hotmail.es hotmail.fr hotmail.it hotmail.nl hushmail.com icloud.com inbox.lv inbox.ru interia.pl juno.com
    laposte.net libero.it list.ru live.be live.co.uk live.com live.de live.fr live.it live.nl lycos.com mac.com mail.com
    mail.de mail.ee mail.ru mailbox.org me.com mindspring.com msn.com naver.com ntlworld.com o2.pl onet.pl online.de
    optonline.net orange.fr outlook.com outlook.de outlook.es outlook.fr outlook.it pm.me posteo.de posteo.net proton.me
    protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com rogers.com sbcglobal.net seznam.cz
    sfr.fr shaw.ca sina.com sky.com skynet.be sohu.com sympatico.ca t-online.de talktalk.net telenet.be terra.com.br
    tiscali.it tutanota.com tutanota.de uol.com.br verizon.net virgilio.it virginmedia.com wanadoo.fr web.de
    windstream.net wp.pl xs4all.nl ya.ru yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au
    yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru yeah.net ymail.com zoho.com
    """.split()  # noqa: SIM905  # read and extended more easily than 170 quoted words
)
